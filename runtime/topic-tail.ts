/** Follows one topic from a moment on and answers who waits for an event of a flow. Reads without a consumer group: nothing is left behind. */
import { decodeEnvelope } from '../contracts/envelope.ts'
import { LabanError } from '../contracts/errors.ts'
import type { Broker, BrokerRecord } from './ports/broker.ts'
import { delay, type Clock } from './ports/clock.ts'

/** What to follow, and how often to look. */
/** What to follow, and from when. */
export interface TopicTailOptions {
  readonly broker: Broker
  readonly topic: string
  readonly clock: Clock
  /** Events recorded earlier are not looked at. */
  readonly fromMs: number
}

interface Waiter {
  readonly resolve: (value: Buffer | null) => void
  readonly reject: (error: unknown) => void
}

const POLL_MS = 50
/** Values kept for callers that ask after their event has passed. */
const MAX_REMEMBERED = 10_000

/** See the file's head. Reads only while somebody waits. */
export class TopicTail {
  readonly #options: TopicTailOptions
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #seen = new Map<string, Buffer | null>()
  #nextOffsets: Map<number, number> | undefined
  #isReading = false
  #isClosed = false

  constructor(options: TopicTailOptions) {
    this.#options = options
  }

  /** The first event of the flow on this topic. @throws LABAN_WAIT_TIMEOUT, LABAN_SHUTDOWN */
  waitFor(flowId: string, timeoutMs: number): Promise<Buffer | null> {
    const seen = this.#seen.get(flowId)
    if (seen !== undefined) return Promise.resolve(seen)
    return new Promise((resolve, reject) => {
      const { clock, topic } = this.#options
      const cancel = clock.after(timeoutMs, () =>
        settle(() => reject(new LabanError('LABAN_WAIT_TIMEOUT', { topic, flowId, timeoutMs }))),
      )
      const settle = (answer: () => void): void => {
        cancel()
        this.#waiters.get(flowId)?.delete(waiter)
        if (this.#waiters.get(flowId)?.size === 0) this.#waiters.delete(flowId)
        answer()
      }
      const waiter: Waiter = {
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error instanceof Error ? error : new LabanError('LABAN_SHUTDOWN'))),
      }
      const waiters = this.#waiters.get(flowId) ?? new Set()
      this.#waiters.set(flowId, waiters.add(waiter))
      void this.#read()
    })
  }

  /** Whoever still waits is told LABAN_SHUTDOWN. */
  close(): void {
    this.#isClosed = true
    this.#rejectAll(new LabanError('LABAN_SHUTDOWN'))
  }

  async #read(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#waiters.size > 0 && !this.#isClosed) {
        await this.#readOnce()
        if (this.#waiters.size > 0) await delay(this.#options.clock, POLL_MS)
      }
    } catch (error) {
      this.#rejectAll(error)
    } finally {
      this.#isReading = false
    }
  }

  async #readOnce(): Promise<void> {
    const { broker, topic, fromMs } = this.#options
    this.#nextOffsets ??= new Map(
      (await broker.admin.offsetsAt(topic, fromMs)).map(({ partition, offset }) => [partition, offset]),
    )
    for (const { partition, startOffset, endOffset } of await broker.admin.offsets(topic)) {
      const fromOffset = Math.max(this.#nextOffsets.get(partition) ?? startOffset, startOffset)
      if (fromOffset >= endOffset) continue
      for await (const records of broker.reader.read({ topic, partition, fromOffset, toOffset: endOffset })) {
        for (const record of records) this.#meet(partition, record)
      }
      this.#nextOffsets.set(partition, endOffset)
    }
  }

  #meet(partition: number, record: BrokerRecord): void {
    const { topic } = this.#options
    const { offset, timestampMs } = record
    const { flowId } = decodeEnvelope(record.headers, { topic, partition, offset, timestampMs })
    if (this.#seen.has(flowId)) return
    const value = record.value === null ? null : Buffer.from(record.value)
    this.#seen.set(flowId, value)
    if (this.#seen.size > MAX_REMEMBERED) this.#seen.delete(this.#seen.keys().next().value ?? '')
    for (const waiter of this.#waiters.get(flowId) ?? []) waiter.resolve(value)
  }

  #rejectAll(error: unknown): void {
    for (const waiters of [...this.#waiters.values()]) for (const waiter of [...waiters]) waiter.reject(error)
  }
}
