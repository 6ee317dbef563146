/** Appends to the memory broker. As on Kafka, a send is not atomic over partitions: one refused partition does not hold back the others. */
import { HeaderBlock } from '../../../contracts/header-block.ts'
import { LabanError } from '../../../contracts/errors.ts'
import { partitionOfKey } from '../../../contracts/murmur2.ts'
import type { Appended, BrokerProducer, BrokerRecord, OutgoingRecord } from '../../ports/broker.ts'
import type { Cluster } from './cluster.ts'
import type { ConnectionState } from './connection-state.ts'
import type { SendFault } from './faults.ts'
import { recordBytes, type PartitionLog } from './log.ts'
import { refused, unavailable } from './refusals.ts'

/** Kafka's own default of `max.message.bytes`. */
const DEFAULT_MAX_RECORD_BYTES = 1_048_588

interface Placed {
  readonly log: PartitionLog
  readonly record: Omit<BrokerRecord, 'offset'>
}

/** A producer on a connection; many may be open at once. */
export class MemoryProducer implements BrokerProducer {
  readonly #connection: ConnectionState
  #closed = false

  constructor(connection: ConnectionState) {
    this.#connection = connection
  }

  send(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    return this.#connection.call(() => {
      if (this.#closed) throw unavailable('the producer is closed')
      return append(this.#connection.cluster, records)
    })
  }

  partitionFor(topic: string, key: Buffer | string): Promise<number> {
    return this.#connection.call(() => {
      return partitionOfKey(key, this.#connection.cluster.topic(topic, 'produce').partitions.length)
    })
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}

function append(cluster: Cluster, records: readonly OutgoingRecord[]): readonly Appended[] {
  const fault = cluster.faults.onSend?.(records)
  if (fault === 'unavailable') throw unavailable('the broker does not answer')
  const timestampMs = cluster.clock.nowMs()
  const placed = records.map((record) => place(cluster, record, timestampMs))
  const held = heldBack(cluster, placed, fault)
  const touched = new Set<PartitionLog>()
  const appended: Appended[] = []
  for (const { log, record } of placed) {
    if (held.logs.has(log)) continue
    const stored = log.append(record)
    touched.add(log)
    appended.push({ topic: log.topic, partition: log.partition, offset: stored.offset })
    for (const observer of cluster.observers) observer.appended(log, stored)
  }
  for (const log of touched) log.announce()
  if (held.error !== undefined) throw held.error
  return appended
}

/** Checks and copies a record; a record that cannot be placed refuses the whole send before anything is appended. */
function place(cluster: Cluster, outgoing: OutgoingRecord, timestampMs: number): Placed {
  const topic = cluster.topic(outgoing.topic, 'produce')
  const { key } = outgoing
  if (key === null && outgoing.partition === undefined) {
    throw refused('produce', topic.name, 'a record without a key needs a partition')
  }
  const partition = outgoing.partition ?? partitionOfKey(key ?? '', topic.partitions.length)
  const log = topic.partitions[partition]
  if (log === undefined) throw refused('produce', topic.name, `there is no partition ${partition}`)
  const value = outgoing.value === null ? null : Buffer.from(outgoing.value)
  const record = { timestampMs, key: copyKey(key), value, headers: copyHeaders(outgoing.headers) }
  return { log, record }
}

/** Partitions that append nothing, and what the sender is told. */
function heldBack(
  cluster: Cluster,
  placed: readonly Placed[],
  fault: SendFault | undefined,
): { logs: ReadonlySet<PartitionLog>; error: LabanError | undefined } {
  const logs = new Set<PartitionLog>()
  let error = fault === undefined ? undefined : unavailable('the answer was lost')
  for (const { log, record } of placed) {
    if (typeof fault === 'object' && !fault.appendOnly(log)) logs.add(log)
    const bytes = recordBytes(record)
    const limit = cluster.topics.get(log.topic)?.config.get('max.message.bytes')
    const maxBytes = limit === undefined ? DEFAULT_MAX_RECORD_BYTES : Number(limit)
    if (bytes <= maxBytes) continue
    logs.add(log)
    error ??= new LabanError('LABAN_BROKER_MESSAGE_TOO_LARGE', { topic: log.topic, bytes, maxBytes })
  }
  return { logs, error }
}

function copyKey(key: Buffer | string | null): Buffer | null {
  return key === null ? null : Buffer.from(key as string)
}

/** Header values arrive as bytes, as they do from Kafka. */
function copyHeaders(outgoing: OutgoingRecord['headers']): BrokerRecord['headers'] {
  const headers = outgoing instanceof HeaderBlock ? outgoing.toHeaders() : outgoing
  const copy: Record<string, Buffer | readonly Buffer[]> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined) continue
    const values = typeof value === 'string' || Buffer.isBuffer(value) ? [value] : value
    const copies = values.map((one) => Buffer.from(one as string))
    const [first] = copies
    if (first !== undefined) copy[name] = copies.length === 1 ? first : copies
  }
  return copy
}
