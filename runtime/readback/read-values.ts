/** Reads all events of one topic with their values. For small topics: a demonstration, a test. */
import { decodeEnvelope, type Envelope } from '../../contracts/envelope.ts'
import { rangesOf, recordsIn, type LogSource } from './platform-records.ts'

/** An event with its value. */
export interface EventWithValue {
  readonly envelope: Envelope
  readonly value: unknown
}

/**
 * Every event of a topic, partition by partition.
 * @throws LABAN_CONTRACT_DECODE, LABAN_CONTRACT_RULE for a record that breaks its contract; LABAN_REGISTRY_UNAVAILABLE
 */
export async function* readValues(source: Omit<LogSource, 'contracts'>, topic: string): AsyncGenerator<EventWithValue> {
  for (const range of await rangesOf(source.broker, topic)) {
    for await (const { offset, timestampMs, headers, value } of recordsIn(source.broker, range)) {
      const { partition } = range
      for (;;) {
        const decoded = source.codec.decode(topic, value, { partition, offset })
        if ('value' in decoded) {
          yield { envelope: decodeEnvelope(headers, { topic, partition, offset, timestampMs }), value: decoded.value }
          break
        }
        await source.codec.load(decoded.loadSchemaId)
      }
    }
  }
}
