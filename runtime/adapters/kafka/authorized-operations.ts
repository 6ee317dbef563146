/** Which operations the brokers allow this connection, asked by versions of two calls that kafkajs does not speak. */
import { sendCall } from './broker-calls.ts'
import {
  apiKeys,
  createErrorFromCode,
  Decoder,
  Encoder,
  type InternalBroker,
  type KafkaDecoder,
  type ProtocolCall,
} from './kafkajs-internals.ts'

/** Bits of the answers, by the operation of an ACL. */
export const OPERATION_BITS = { Read: 1 << 3, Write: 1 << 4 } as const

/** Name to bits. What may not even be seen has none. */
export type AuthorizedOperations = ReadonlyMap<string, number>

const ALL = -1
const UNKNOWN_TOPIC = 3
const DENIED: ReadonlySet<number> = new Set([29, 30])
const METADATA_VERSION = 8
const DESCRIBE_GROUPS_VERSION = 3

/** Operations on topics. */
export async function topicOperations(
  broker: InternalBroker,
  topics: readonly string[],
): Promise<AuthorizedOperations> {
  const body = new Encoder().writeArray(topics).writeBoolean(false).writeBoolean(false).writeBoolean(true)
  return (await sendCall(broker, call('Metadata', METADATA_VERSION, body, decodeTopics))) as AuthorizedOperations
}

/** Operations on groups; the broker must be their coordinator. */
export async function groupOperations(
  broker: InternalBroker,
  groups: readonly string[],
): Promise<AuthorizedOperations> {
  const body = new Encoder().writeArray(groups).writeBoolean(true)
  const asked = call('DescribeGroups', DESCRIBE_GROUPS_VERSION, body, decodeGroups)
  return (await sendCall(broker, asked)) as AuthorizedOperations
}

function call(
  apiName: 'Metadata' | 'DescribeGroups',
  apiVersion: number,
  body: unknown,
  decode: (decoder: KafkaDecoder) => AuthorizedOperations,
): ProtocolCall {
  return {
    request: { apiKey: apiKeys[apiName] ?? -1, apiVersion, apiName, encode: () => Promise.resolve(body) },
    response: {
      decode: (payload) => Promise.resolve(decode(new Decoder(payload))),
      parse: (operations: AuthorizedOperations) => Promise.resolve(operations),
    },
  }
}

/** @source https://kafka.apache.org/protocol#The_Messages_Metadata */
function decodeTopics(decoder: KafkaDecoder): AuthorizedOperations {
  decoder.readInt32()
  decoder.readArray((broker) => [broker.readInt32(), broker.readString(), broker.readInt32(), broker.readString()])
  decoder.readString()
  decoder.readInt32()
  const topics = decoder.readArray((topic) => {
    const errorCode = topic.readInt16()
    const name = topic.readString()
    topic.readInt8()
    topic.readArray((partition) => {
      partition.readInt16()
      for (let field = 0; field < 3; field += 1) partition.readInt32()
      for (let list = 0; list < 3; list += 1) partition.readArray((replica) => replica.readInt32())
    })
    const operations = topic.readInt32()
    // That it does not exist is told only to who may see it; what else is missing shows when it is made.
    return [name, errorCode === UNKNOWN_TOPIC ? ALL : allowedBy(errorCode, operations)] as const
  })
  return new Map(topics)
}

/** @source https://kafka.apache.org/protocol#The_Messages_DescribeGroups */
function decodeGroups(decoder: KafkaDecoder): AuthorizedOperations {
  decoder.readInt32()
  const groups = decoder.readArray((group) => {
    const errorCode = group.readInt16()
    const name = group.readString()
    for (let text = 0; text < 3; text += 1) group.readString()
    group.readArray((member) => {
      for (let text = 0; text < 3; text += 1) member.readString()
      for (let bytes = 0; bytes < 2; bytes += 1) member.readBytes()
    })
    const operations = group.readInt32()
    return [name, allowedBy(errorCode, operations)] as const
  })
  return new Map(groups)
}

function allowedBy(errorCode: number, operations: number): number {
  if (errorCode === 0) return operations
  if (DENIED.has(errorCode)) return 0
  throw createErrorFromCode(errorCode)
}
