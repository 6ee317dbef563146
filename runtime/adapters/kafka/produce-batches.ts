/**
 * Records of one send as batches per partition, in the given order. A broker limits the size of a batch, not of a record, so
 * batches are kept well below its default limit and can be halved where a topic allows less.
 */
import { HeaderBlock } from '../../../contracts/header-block.ts'
import type { OutgoingRecord } from '../../ports/broker.ts'
import type { ProducedMessage } from './produced.ts'

/** Below Kafka's default `max.message.bytes` of 1,048,588. */
const MAX_BATCH_BYTES = 900_000
/** Upper bound for what the record format adds to a record, and to a header. */
const RECORD_OVERHEAD_BYTES = 40
const HEADER_OVERHEAD_BYTES = 6

/** A record with its place in the send it came with. */
export interface PlacedRecord {
  readonly index: number
  readonly topic: string
  readonly partition: number
  readonly message: ProducedMessage
  readonly bytes: number
}

/** Records that are appended together. */
export interface PendingBatch {
  readonly records: readonly PlacedRecord[]
  readonly bytes: number
}

/** What is still to be sent to one partition; the first batch goes first. */
export interface PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly batches: PendingBatch[]
}

/** A record with its partition and its size, at most, in bytes. */
export function placeRecord(record: OutgoingRecord, index: number, partition: number, nowMs: number): PlacedRecord {
  const { topic, key, value, headers } = record
  return { index, topic, partition, message: { key, value, headers, timestamp: nowMs }, bytes: sizeOf(record) }
}

/** One queue per partition, in order of first appearance. */
export function toQueues(records: readonly PlacedRecord[]): readonly PartitionQueue[] {
  const byTopic = new Map<string, Map<number, PlacedRecord[]>>()
  const queues: { topic: string; partition: number; own: PlacedRecord[] }[] = []
  for (const record of records) {
    const { topic, partition } = record
    let ofTopic = byTopic.get(topic)
    if (ofTopic === undefined) byTopic.set(topic, (ofTopic = new Map<number, PlacedRecord[]>()))
    const own = ofTopic.get(partition)
    if (own !== undefined) own.push(record)
    else {
      const first = [record]
      ofTopic.set(partition, first)
      queues.push({ topic, partition, own: first })
    }
  }
  return queues.map(({ topic, partition, own }) => ({ topic, partition, batches: toBatches(own) }))
}

/** Two batches instead of one; undefined when it holds a single record. */
export function halve(batch: PendingBatch): readonly [PendingBatch, PendingBatch] | undefined {
  const middle = Math.floor(batch.records.length / 2)
  if (middle === 0) return undefined
  return [toBatch(batch.records.slice(0, middle)), toBatch(batch.records.slice(middle))]
}

function toBatches(records: readonly PlacedRecord[]): PendingBatch[] {
  const batches: PendingBatch[] = []
  let current: PlacedRecord[] = []
  let bytes = 0
  for (const record of records) {
    if (current.length > 0 && bytes + record.bytes > MAX_BATCH_BYTES) {
      batches.push({ records: current, bytes })
      current = []
      bytes = 0
    }
    current.push(record)
    bytes += record.bytes
  }
  batches.push({ records: current, bytes })
  return batches
}

function toBatch(records: readonly PlacedRecord[]): PendingBatch {
  return { records, bytes: records.reduce((sum, record) => sum + record.bytes, 0) }
}

function sizeOf({ key, value, headers }: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + lengthOf(key) + lengthOf(value)
  if (headers instanceof HeaderBlock) return bytes + headers.bytes.length
  for (const name of Object.keys(headers)) {
    const header = headers[name] ?? null
    const values = Array.isArray(header) ? (header as readonly (string | Buffer)[]) : [header as string | Buffer]
    for (const one of values) bytes += HEADER_OVERHEAD_BYTES + name.length + lengthOf(one)
  }
  return bytes
}

function lengthOf(value: string | Buffer | null): number {
  if (value === null) return 0
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length
}
