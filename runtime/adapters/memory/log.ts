/** One partition of a topic in memory: records in offset order, without gaps from its start to its end. */
import type { BrokerRecord, TopicPartition } from '../../ports/broker.ts'

/** Largest slice that one read returns. */
export interface ReadLimit {
  readonly maxRecords: number
  readonly maxBytes: number
}

/** Bytes that Kafka adds to a record of its own; counted so that limits bite where they do there. */
const RECORD_OVERHEAD_BYTES = 70

/** An append-only log whose start can be moved up. */
export class PartitionLog implements TopicPartition {
  readonly topic: string
  readonly partition: number
  #records: BrokerRecord[] = []
  #startOffset = 0
  readonly #listeners = new Set<() => void>()

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get startOffset(): number {
    return this.#startOffset
  }

  /** Offset of the next record to be written. */
  get endOffset(): number {
    return this.#startOffset + this.#records.length
  }

  /** Appends and returns the record as stored. Times never go back within a partition. Listeners hear of it by `announce`. */
  append(record: Omit<BrokerRecord, 'offset'>): BrokerRecord {
    const timestampMs = Math.max(record.timestampMs, this.#records.at(-1)?.timestampMs ?? 0)
    const { key, value, headers } = record
    const stored = { offset: this.endOffset, timestampMs, key, value, headers }
    this.#records.push(stored)
    return stored
  }

  /** Tells the listeners that there is something to read. */
  announce(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` after appends, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Records from an offset on; at least one when there is any, however large. */
  read(fromOffset: number, toOffset: number, limit: ReadLimit): readonly BrokerRecord[] {
    const first = Math.max(fromOffset - this.#startOffset, 0)
    const last = Math.min(first + limit.maxRecords, toOffset - this.#startOffset, this.#records.length)
    let next = first
    let bytes = 0
    while (next < last) {
      const record = this.#records[next]
      if (record === undefined) break
      bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
      if (bytes > limit.maxBytes && next > first) break
      next += 1
    }
    return this.#records.slice(first, next)
  }

  /** Offset of the first record at or after a time; the end offset when there is none. */
  offsetAt(atMs: number): number {
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#records[middle]?.timestampMs ?? Infinity) < atMs) low = middle + 1
      else high = middle
    }
    return this.#startOffset + low
  }

  /** Forgets records below `offset`, as retention does. Also past the end: then the log is empty and begins there. */
  trim(offset: number): void {
    if (offset <= this.#startOffset) return
    this.#records = this.#records.slice(offset - this.#startOffset)
    this.#startOffset = offset
  }
}

/** The size of a record that `max.message.bytes` limits. */
export function recordBytes(record: Pick<BrokerRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const [name, value] of Object.entries(record.headers)) {
    for (const one of Array.isArray(value) ? (value as readonly (Buffer | string)[]) : [value as Buffer | string]) {
      bytes += name.length + one.length + 2
    }
  }
  return bytes
}
