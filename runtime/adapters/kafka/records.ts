/** Records as kafkajs decodes them, as the port gives them. */
import type { BrokerRecord } from '../../ports/broker.ts'

/** What is read of a kafkajs message. */
interface KafkaMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: BrokerRecord['headers']
}

/** Key, value and headers stay slices of the fetched buffer. */
export function toRecord({ offset, timestamp, key, value, headers }: KafkaMessage): BrokerRecord {
  return { offset: Number(offset), timestampMs: Number(timestamp), key, value, headers: headers ?? {} }
}
