/**
 * Holds records of retry topics back until they are due. One topic has one delay, so records come due in the order in which they
 * lie: only the head is looked at, and its partition is paused until then. Nothing sleeps, and membership does not depend on it.
 */
import type {
  Assignment,
  BrokerConsumer,
  ConsumerHandlers,
  OffsetCommit,
  RecordBatch,
  TopicPartition,
} from '../ports/broker.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import { dueAtMs } from './handover.ts'

/** A gate between a group member and who handles its records: handlers on the one side, a consumer on the other. */
export class DueGate implements ConsumerHandlers, BrokerConsumer {
  readonly #inner: ConsumerHandlers
  readonly #clock: Clock
  /** Partitions whose head is not due, and the timer that lets them go. */
  readonly #held = new Map<string, Cancel>()
  /** Partitions that the owner wants paused. */
  readonly #paused = new Set<string>()
  #broker: BrokerConsumer | undefined

  constructor(inner: ConsumerHandlers, clock: Clock) {
    this.#inner = inner
    this.#clock = clock
  }

  /** The consumer that is held back. */
  attach(broker: BrokerConsumer): void {
    this.#broker = broker
  }

  onAssigned(assignment: readonly Assignment[]): void | Promise<void> {
    this.#letAllGo()
    return this.#inner.onAssigned(assignment)
  }

  onRebalancing(): readonly OffsetCommit[] {
    return this.#inner.onRebalancing()
  }

  onBatch(batch: RecordBatch): number {
    const nowMs = this.#clock.nowMs()
    const early = batch.records.findIndex((record) => dueAtMs(record.headers) > nowMs)
    const head = batch.records[early]
    if (head === undefined) return this.#inner.onBatch(batch)
    this.#hold(batch, dueAtMs(head.headers) - nowMs)
    if (early === 0) return batch.fromOffset
    return this.#inner.onBatch({ ...batch, records: batch.records.slice(0, early), lastOffset: head.offset - 1 })
  }

  onCrash(error: unknown): void {
    this.#letAllGo()
    this.#inner.onCrash(error)
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.add(nameOf(partition))
    this.#broker?.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.delete(nameOf(partition))
    this.#broker?.resume(partitions.filter((partition) => !this.#held.has(nameOf(partition))))
  }

  async commit(commits: readonly OffsetCommit[]): Promise<void> {
    await this.#broker?.commit(commits)
  }

  async stop(): Promise<void> {
    this.#letAllGo()
    await this.#broker?.stop()
  }

  #hold({ topic, partition }: TopicPartition, forMs: number): void {
    const name = nameOf({ topic, partition })
    this.#held.get(name)?.()
    this.#broker?.pause([{ topic, partition }])
    const letGo = (): void => {
      this.#held.delete(name)
      if (!this.#paused.has(name)) this.#broker?.resume([{ topic, partition }])
    }
    this.#held.set(name, this.#clock.after(forMs, letGo))
  }

  /** A new generation asks for its heads anew. */
  #letAllGo(): void {
    for (const cancel of this.#held.values()) cancel()
    this.#held.clear()
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
