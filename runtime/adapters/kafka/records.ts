/** Decoded messages as records of the port. */
import type { BrokerRecord } from '../../ports/broker.ts'

/** What is read of a message: kafkajs decodes offset and time to strings, our own decoder to numbers under the port's names. */
interface DecodedRecord {
  readonly offset: string | number
  readonly timestamp?: string
  readonly timestampMs?: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: BrokerRecord['headers']
}

/** Key, value and headers stay slices of the fetched buffer. */
export function toRecord(message: DecodedRecord): BrokerRecord {
  if (message.timestampMs !== undefined) return message as BrokerRecord
  const { offset, timestamp, key, value, headers } = message
  return { offset: Number(offset), timestampMs: Number(timestamp), key, value, headers: headers ?? {} }
}
