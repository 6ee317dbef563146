/**
 * Hands fetched batches to the owner, in order and without gaps: a batch that does not begin where the owner's last answer
 * ended is dropped and fetched again. Nothing here waits and nothing throws, because it runs in the loop that heartbeats.
 */
import type { EachBatchPayload } from 'kafkajs'
import type { RecordBatch } from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import { partitionName, type Generation, type HeldPartition } from './held-partitions.ts'
import type { ConsumerGroup } from './kafkajs-internals.ts'
import { toRecord } from './records.ts'

/** What delivery needs from the consumer. */
export interface DeliveryParts {
  readonly clock: Clock
  /** How long a partition rests when all of its records were declined. */
  readonly restMs: number
  readonly onBatch: (batch: RecordBatch) => number
  readonly onFailure: (error: unknown) => void
}

/** A batch of which nothing was left after control records and aborted transactions were taken out. */
export interface SkippedBatch {
  readonly topic: string
  readonly partition: number
  readonly lastOffset: string
  readonly highWatermark: string
}

/** Delivery of one consumer: closed until a generation is positioned and opened. */
export class BatchDelivery {
  readonly #parts: DeliveryParts
  #group: ConsumerGroup | undefined
  #generation: Generation | undefined
  #isOpen = false

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  /** Sets the fetch positions and pauses of a new generation; kafkajs would start kept partitions again at the commit. */
  position(group: ConsumerGroup, generation: Generation): void {
    this.#group = group
    this.#generation = generation
    for (const held of generation.partitions.values()) {
      group.seek({ topic: held.physicalTopic, partition: held.partition, offset: String(held.nextOffset ?? 0) })
      if (held.isPaused) group.pause([entry(held)])
      else group.resume([entry(held)])
    }
  }

  open(): void {
    this.#isOpen = true
  }

  close(): void {
    this.#isOpen = false
  }

  pause(partitions: readonly HeldPartition[]): void {
    for (const held of partitions) held.isPaused = true
    if (partitions.length > 0) this.#group?.pause(partitions.map(entry))
  }

  resume(partitions: readonly HeldPartition[]): void {
    for (const held of partitions) {
      held.isPaused = false
      held.isResting = false
    }
    if (partitions.length > 0) this.#group?.resume(partitions.map(entry))
  }

  /** Delivers what was fetched and tells kafkajs where to fetch next. */
  deliver({ batch, resolveOffset, isStale }: EachBatchPayload): void {
    const held = this.#deliverable(batch.topic, batch.partition)
    // Not in kafkajs's types: the offset that was asked for.
    const { fetchedOffset } = batch as unknown as { readonly fetchedOffset: string }
    if (held === undefined || isStale() || Number(fetchedOffset) !== held.nextOffset) return
    const lastOffset = Number(batch.lastOffset())
    const records = batch.messages.map(toRecord)
    const answer = this.#offer(held, { records, lastOffset, endOffset: Number(batch.highWatermark) })
    if (answer === undefined || answer === held.nextOffset) return
    if (answer < held.nextOffset) return this.#seek(held, answer)
    resolveOffset(String(answer - 1))
    // kafkajs steps over what follows the last record by itself.
    held.nextOffset = answer - 1 === records.at(-1)?.offset ? Math.max(answer, lastOffset + 1) : answer
  }

  /** Passes on that a stretch of the log holds nothing to deliver; kafkajs has stepped over it already. */
  skipped({ topic, partition, lastOffset, highWatermark }: SkippedBatch): void {
    const held = this.#generation?.partitions.get(partitionName(topic, partition))
    if (held?.nextOffset === undefined) return
    const isOffered = this.#deliverable(topic, partition) === held
    const offered = { records: [], lastOffset: Number(lastOffset), endOffset: Number(highWatermark) }
    const answer = isOffered ? this.#offer(held, offered) : undefined
    if (answer === Number(lastOffset) + 1) held.nextOffset = answer
    else this.#seek(held, answer ?? held.nextOffset)
  }

  #deliverable(topic: string, partition: number): (HeldPartition & { nextOffset: number }) | undefined {
    const held = this.#generation?.partitions.get(partitionName(topic, partition))
    const isReady = this.#isOpen && held?.nextOffset !== undefined && !held.isPaused && !held.isResting
    return isReady ? (held as HeldPartition & { nextOffset: number }) : undefined
  }

  #offer(held: HeldPartition, part: Pick<RecordBatch, 'records' | 'lastOffset' | 'endOffset'>): number | undefined {
    const { topic, partition, nextOffset: fromOffset = 0 } = held
    try {
      const answer = this.#parts.onBatch({ topic, partition, fromOffset, ...part })
      if (answer <= fromOffset && !held.isPaused) this.#rest(held)
      return answer
    } catch (error) {
      this.#parts.onFailure(error)
      return undefined
    }
  }

  /** Declined records would otherwise be fetched again at once, and again. */
  #rest(held: HeldPartition): void {
    held.isResting = true
    this.#group?.pause([entry(held)])
    this.#parts.clock.after(this.#parts.restMs, () => {
      if (!held.isResting) return
      held.isResting = false
      if (!held.isPaused && this.#isCurrent(held)) this.#group?.resume([entry(held)])
    })
  }

  #isCurrent(held: HeldPartition): boolean {
    return this.#generation?.partitions.get(partitionName(held.physicalTopic, held.partition)) === held
  }

  #seek(held: HeldPartition, offset: number): void {
    held.nextOffset = offset
    this.#group?.seek({ topic: held.physicalTopic, partition: held.partition, offset: String(offset) })
  }
}

function entry({ physicalTopic, partition }: HeldPartition): { topic: string; partitions: number[] } {
  return { topic: physicalTopic, partitions: [partition] }
}
