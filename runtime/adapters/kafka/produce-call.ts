/** One produce request to one broker: at most one batch per partition, and one answer per partition, its error code included. */
import { buildCall, callWithoutParsing } from './broker-calls.ts'
import type { InternalBroker } from './kafkajs-internals.ts'

/** A record as kafkajs encodes it. */
export interface ProducedMessage {
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>
  readonly timestamp: number
}

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

export interface PartitionAnswer {
  readonly errorCode: number
  readonly baseOffset: number
}

interface ProduceResponse {
  readonly topics: readonly {
    readonly topicName: string
    readonly partitions: readonly {
      readonly partition: number
      readonly errorCode: number
      readonly baseOffset: string
    }[]
  }[]
}

const ALL_REPLICAS = -1

/** Sends the batches, acknowledged by all in-sync replicas; one answer per batch, undefined where the broker gave none. */
export async function produce(
  broker: InternalBroker,
  identity: ProducerIdentity,
  batches: readonly ProducedBatch[],
  timeoutMs: number,
): Promise<readonly (PartitionAnswer | undefined)[]> {
  const call = buildCall(broker, 'Produce', {
    acks: ALL_REPLICAS,
    timeout: timeoutMs,
    producerId: identity.producerId,
    producerEpoch: identity.producerEpoch,
    topicData: topicData(batches),
  })
  const { topics } = await callWithoutParsing<ProduceResponse>(broker, call)
  return batches.map(({ physicalTopic, partition }) => {
    const answer = topics
      .find(({ topicName }) => topicName === physicalTopic)
      ?.partitions.find((candidate) => candidate.partition === partition)
    return answer === undefined ? undefined : { errorCode: answer.errorCode, baseOffset: Number(answer.baseOffset) }
  })
}

function topicData(batches: readonly ProducedBatch[]): readonly unknown[] {
  const topics = new Map<string, { topic: string; partitions: unknown[] }>()
  for (const { physicalTopic, partition, messages, firstSequence } of batches) {
    const entry = topics.get(physicalTopic) ?? { topic: physicalTopic, partitions: [] }
    topics.set(physicalTopic, entry)
    entry.partitions.push({ partition, messages, firstSequence })
  }
  return [...topics.values()]
}
