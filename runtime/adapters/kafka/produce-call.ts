/** One produce request to one broker: at most one batch per partition, and one answer per partition, its error code included. */
import { HeaderBlock } from '../../../contracts/header-block.ts'
import { buildCall, callWithoutParsing } from './broker-calls.ts'
import { encodeProduceRequest } from './fast-records/encode-produce.ts'
import type { RecordsCodec } from './fetch-answers.ts'
import type { InternalBroker, ProtocolCall } from './kafkajs-internals.ts'
import type { ProducedBatch, ProducedMessage, ProducerIdentity } from './produced.ts'

/** What a broker answers for one partition. */
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
/** The version whose request we write ourselves; kafkajs's highest. */
const FAST_VERSION = 7

/** Sends the batches, acknowledged by all in-sync replicas; one answer per batch, undefined where the broker gave none. */
export async function produce(
  broker: InternalBroker,
  identity: ProducerIdentity,
  batches: readonly ProducedBatch[],
  options: { readonly timeoutMs: number; readonly codec: RecordsCodec },
): Promise<readonly (PartitionAnswer | undefined)[]> {
  const call = produceCall(broker, identity, byTopic(batches), options)
  const { topics } = await callWithoutParsing<ProduceResponse>(broker, call)
  return batches.map(({ physicalTopic, partition }) => {
    const answer = topics
      .find(({ topicName }) => topicName === physicalTopic)
      ?.partitions.find((candidate) => candidate.partition === partition)
    return answer === undefined ? undefined : { errorCode: answer.errorCode, baseOffset: Number(answer.baseOffset) }
  })
}

function produceCall(
  broker: InternalBroker,
  identity: ProducerIdentity,
  topicData: readonly TopicBatches[],
  { timeoutMs, codec }: { readonly timeoutMs: number; readonly codec: RecordsCodec },
): ProtocolCall {
  const ours = codec !== 'kafkajs'
  const request = { acks: ALL_REPLICAS, timeout: timeoutMs, ...identity }
  const call = buildCall(broker, 'Produce', { ...request, topicData: ours ? topicData : topicData.map(forKafkajs) })
  if (!ours) return call
  if (call.request.apiVersion !== FAST_VERSION)
    return buildCall(broker, 'Produce', { ...request, topicData: topicData.map(forKafkajs) })
  const encode = (): Promise<unknown> => {
    const bytes = encodeProduceRequest(topicData, identity, timeoutMs)
    // What kafkajs reads of an encoder.
    return Promise.resolve({ buf: bytes, buffer: bytes })
  }
  return { ...call, request: { ...call.request, encode } }
}

/** kafkajs's own encoder wants headers by name. */
function forKafkajs({ topic, partitions }: TopicBatches): TopicBatches {
  const named = ({ headers, ...rest }: ProducedMessage): ProducedMessage => ({
    ...rest,
    headers: headers instanceof HeaderBlock ? headers.toHeaders() : headers,
  })
  return { topic, partitions: partitions.map((batch) => ({ ...batch, messages: batch.messages.map(named) })) }
}

interface TopicBatches {
  readonly topic: string
  readonly partitions: readonly ProducedBatch[]
}

function byTopic(batches: readonly ProducedBatch[]): readonly TopicBatches[] {
  const topics = new Map<string, { topic: string; partitions: ProducedBatch[] }>()
  for (const batch of batches) {
    const entry = topics.get(batch.physicalTopic) ?? { topic: batch.physicalTopic, partitions: [] }
    topics.set(batch.physicalTopic, entry)
    entry.partitions.push(batch)
  }
  return [...topics.values()]
}
