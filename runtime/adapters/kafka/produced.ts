/** What goes into a produce request, whoever encodes it. */
import type { OutgoingHeaders } from '../../ports/broker.ts'

/** A record with its time in epoch milliseconds. */
export interface ProducedMessage {
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers: OutgoingHeaders
  readonly timestamp: number
}

/** Records for one partition in one request. */
export interface ProducedBatch {
  /** Name on the broker. */
  readonly physicalTopic: string
  readonly partition: number
  readonly messages: readonly ProducedMessage[]
  readonly firstSequence: number
}

/** Identity of an idempotent producer. */
export interface ProducerIdentity {
  readonly producerId: string
  readonly producerEpoch: number
}
