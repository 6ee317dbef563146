/**
 * Gathers records into large sends without waiting: one send is under way at a time, and what arrives meanwhile is the next.
 * The rule it keeps: exactly one send outstanding, retries included, which is what makes the idempotent producer lose nothing.
 */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { Appended, BrokerProducer, OutgoingRecord } from '../ports/broker.ts'
import { delay, settledWithin, type Clock } from '../ports/clock.ts'
import { errorFields, type Logger } from '../ports/logger.ts'
import { recordBytes } from './record-size.ts'

export interface BatchingProducerOptions {
  readonly producer: BrokerProducer
  readonly clock: Clock
  readonly log: Logger
  /** Largest send. Brokers refuse record batches above 1 MB by default. @default 900000 */
  readonly maxBatchBytes?: number
  /** Records waiting or under way; above it `append` waits. @default 33554432 */
  readonly maxBufferedBytes?: number
}

/** The records of one `append`, which are acknowledged together. */
interface Entry {
  readonly records: readonly OutgoingRecord[]
  readonly bytes: number
  readonly resolve: (appended: readonly Appended[]) => void
  readonly reject: (error: unknown) => void
}

const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5_000

/** See the file's head. */
export class BatchingProducer {
  readonly #options: Required<BatchingProducerOptions>
  readonly #stopping = new AbortController()
  #entries: Entry[] = []
  #bufferedBytes = 0
  #isSending = false
  #problem: LabanError | undefined
  #closing: Promise<void> | undefined
  #roomWaiters: (() => void)[] = []
  #idleWaiters: (() => void)[] = []

  constructor(options: BatchingProducerOptions) {
    this.#options = { maxBatchBytes: 900_000, maxBufferedBytes: 33_554_432, ...options }
  }

  /** Why records wait, while they do. */
  get problem(): LabanError | undefined {
    return this.#problem
  }

  /** The partition that a key goes to. */
  partitionFor(topic: string, key: Buffer | string): Promise<number> {
    return this.#options.producer.partitionFor(topic, key)
  }

  /**
   * Appends records in order and resolves with their positions once all in-sync replicas have them. A broker that is away is
   * asked again until it answers; only a refusal rejects.
   * @throws LABAN_BROKER_REFUSED, LABAN_BROKER_MESSAGE_TOO_LARGE, LABAN_SHUTDOWN
   */
  async append(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    if (records.length === 0) return []
    let bytes = 0
    for (const record of records) bytes += recordBytes(record)
    while (this.#isFull(bytes) && !this.#stopping.signal.aborted) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
    }
    return this.#enqueue(records, bytes)
  }

  /** Sends what is buffered, for at most `timeoutMs`, and closes. What is left rejects with LABAN_SHUTDOWN. */
  async close(timeoutMs: number): Promise<void> {
    const { clock, producer } = this.#options
    if (this.#isSending) {
      const idle = new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
      await settledWithin(idle, { clock, withinMs: timeoutMs, signal: this.#stopping.signal })
    }
    this.#stopping.abort()
    for (const entry of this.#entries.splice(0)) entry.reject(new LabanError('LABAN_SHUTDOWN'))
    for (const wake of this.#roomWaiters.splice(0)) wake()
    this.#closing ??= producer.close()
    await this.#closing
  }

  #isFull(bytes: number): boolean {
    return this.#bufferedBytes > 0 && this.#bufferedBytes + bytes > this.#options.maxBufferedBytes
  }

  #enqueue(records: readonly OutgoingRecord[], bytes: number): Promise<readonly Appended[]> {
    if (this.#stopping.signal.aborted) return Promise.reject(new LabanError('LABAN_SHUTDOWN'))
    return new Promise((resolve, reject) => {
      this.#entries.push({ records, bytes, resolve, reject })
      this.#bufferedBytes += bytes
      if (this.#isSending) return
      this.#isSending = true
      // A microtask later: what is appended in the same turn shares the first send.
      queueMicrotask(() => void this.#drain())
    })
  }

  async #drain(): Promise<void> {
    while (this.#entries.length > 0) {
      const batch = this.#takeBatch()
      await this.#send(batch)
      for (const entry of batch) this.#bufferedBytes -= entry.bytes
      for (const wake of this.#roomWaiters.splice(0)) wake()
    }
    this.#isSending = false
    for (const wake of this.#idleWaiters.splice(0)) wake()
  }

  #takeBatch(): Entry[] {
    let bytes = 0
    let count = 0
    for (const entry of this.#entries) {
      if (count > 0 && bytes + entry.bytes > this.#options.maxBatchBytes) break
      bytes += entry.bytes
      count++
    }
    return this.#entries.splice(0, count)
  }

  /** Sends a batch; when it is refused, divides it, so that one bad record does not take others with it. */
  async #send(batch: readonly Entry[]): Promise<void> {
    try {
      const records = batch.length === 1 ? (batch[0]?.records ?? []) : batch.flatMap((entry) => entry.records)
      this.#resolve(batch, await this.#sendUntilAnswered(records))
    } catch (error) {
      if (batch.length > 1 && isLabanError(error) && error.errorClass === 'terminal') {
        for (const part of divide(batch, error.details['topic'])) await this.#send(part)
        return
      }
      for (const entry of batch) entry.reject(error)
    }
  }

  #resolve(batch: readonly Entry[], appended: readonly Appended[]): void {
    let next = 0
    for (const entry of batch) {
      entry.resolve(appended.slice(next, next + entry.records.length))
      next += entry.records.length
    }
  }

  async #sendUntilAnswered(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    const { producer, clock, log } = this.#options
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      if (this.#stopping.signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
      try {
        const sending = producer.send(records)
        await settledWithin(sending, { signal: this.#stopping.signal })
        if (this.#stopping.signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
        const appended = await sending
        if (this.#problem !== undefined) log.info('records are sent again')
        this.#problem = undefined
        return appended
      } catch (error) {
        if (!isLabanError(error) || error.errorClass !== 'retry') throw error
        if (this.#problem?.code !== error.code) log.warn('records wait', errorFields(error))
        this.#problem = error
        await delay(clock, waitMs / 2 + (waitMs / 2) * clock.random(), this.#stopping.signal)
      }
    }
  }
}

/** Apart from the topic that was refused, where one is named: what is sent again is on the log twice. Else halves. */
function divide(batch: readonly Entry[], topic: unknown): readonly (readonly Entry[])[] {
  const isOf = (entry: Entry): boolean => entry.records.some((record) => record.topic === topic)
  const others = batch.filter((entry) => !isOf(entry))
  if (others.length > 0 && others.length < batch.length) return [others, batch.filter(isOf)]
  const middle = batch.length >> 1
  return [batch.slice(0, middle), batch.slice(middle)]
}
