/** The body of a produce request, version 7, around encoded batches. */
import type { ProducedBatch, ProducerIdentity } from '../produced.ts'
import { encodeBatch } from './encode-batch.ts'

const NO_TRANSACTION = -1
const ALL_REPLICAS = -1

/** Topics with the batches of their partitions, in the given order. */
export function encodeProduceRequest(
  topics: readonly { readonly topic: string; readonly partitions: readonly ProducedBatch[] }[],
  identity: ProducerIdentity,
  timeoutMs: number,
): Buffer {
  const head = Buffer.allocUnsafe(12)
  head.writeInt16BE(NO_TRANSACTION, 0)
  head.writeInt16BE(ALL_REPLICAS, 2)
  head.writeInt32BE(timeoutMs, 4)
  head.writeInt32BE(topics.length, 8)
  const parts: Buffer[] = [head]
  for (const { topic, partitions } of topics) {
    const nameBytes = Buffer.byteLength(topic)
    const entry = Buffer.allocUnsafe(2 + nameBytes + 4)
    entry.writeInt16BE(nameBytes, 0)
    entry.write(topic, 2, nameBytes, 'utf8')
    entry.writeInt32BE(partitions.length, 2 + nameBytes)
    parts.push(entry)
    for (const { partition, messages, firstSequence } of partitions) {
      const batch = encodeBatch(messages, { ...identity, firstSequence })
      const prefix = Buffer.allocUnsafe(8)
      prefix.writeInt32BE(partition, 0)
      prefix.writeInt32BE(batch.length, 4)
      parts.push(prefix, batch)
    }
  }
  return Buffer.concat(parts)
}
