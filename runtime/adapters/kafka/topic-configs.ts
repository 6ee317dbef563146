/** Settings of topics, as they are in force: those of the topic, else those of the cluster. */
import { buildCall, callWithoutParsing, sendCall } from './broker-calls.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { apiKeys, createErrorFromCode, Decoder, Encoder, type ProtocolCall } from './kafkajs-internals.ts'

const TOPIC_RESOURCE = 2
const SET_VALUE = 0
const DEFAULT_MAX_RECORD_BYTES = 1_048_588

interface ConfigsAnswer {
  readonly resources: readonly {
    readonly errorCode: number
    readonly resourceName: string
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[]
  }[]
}

/** Settings per topic; a topic that has gone meanwhile has none. */
export async function readTopicConfigs(
  access: ClusterAccess,
  physicalTopics: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  if (physicalTopics.length === 0) return new Map()
  const broker = await access.anyBroker()
  const resources = physicalTopics.map((name) => ({ type: TOPIC_RESOURCE, name, configNames: [] }))
  const call = buildCall(broker, 'DescribeConfigs', { resources, includeSynonyms: false })
  const answer = await callWithoutParsing<ConfigsAnswer>(broker, call)
  return new Map(
    answer.resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue ?? ''])),
    ]),
  )
}

/** The largest batch that the topic takes; Kafka's default when that cannot be learned. */
export async function maxRecordBytesOf(access: ClusterAccess, physicalTopic: string): Promise<number> {
  try {
    const configs = await readTopicConfigs(access, [physicalTopic])
    return Number(configs.get(physicalTopic)?.['max.message.bytes'] ?? DEFAULT_MAX_RECORD_BYTES)
  } catch {
    return DEFAULT_MAX_RECORD_BYTES
  }
}

/** Sets the named settings and leaves all others; kafkajs's own call would reset what it is not told. */
export async function setTopicConfigs(
  access: ClusterAccess,
  physicalTopic: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const broker = await access.controller()
  await sendCall(broker, incrementalAlterConfigs(physicalTopic, config))
}

/** IncrementalAlterConfigs, version 0. @source KIP-339 */
function incrementalAlterConfigs(physicalTopic: string, config: Readonly<Record<string, string>>): ProtocolCall {
  const entries = Object.entries(config).map(([name, value]) =>
    new Encoder().writeString(name).writeInt8(SET_VALUE).writeString(value),
  )
  const resource = new Encoder().writeInt8(TOPIC_RESOURCE).writeString(physicalTopic).writeArray(entries)
  return {
    request: {
      apiKey: apiKeys['IncrementalAlterConfigs'] ?? 44,
      apiVersion: 0,
      apiName: 'IncrementalAlterConfigs',
      encode: () => Promise.resolve(new Encoder().writeArray([resource]).writeBoolean(false)),
    },
    response: {
      decode: (payload) => Promise.resolve(decodeErrorCodes(payload)),
      parse: (errorCodes: readonly number[]) => {
        const failed = errorCodes.find((code) => code !== 0)
        return failed === undefined ? Promise.resolve() : Promise.reject(createErrorFromCode(failed))
      },
    },
  }
}

function decodeErrorCodes(payload: Buffer): readonly number[] {
  const decoder = new Decoder(payload)
  decoder.readInt32()
  return decoder.readArray((resource) => {
    const errorCode = resource.readInt16()
    resource.readString()
    resource.readInt8()
    resource.readString()
    return errorCode
  })
}
