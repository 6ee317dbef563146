/**
 * A topology as an AsyncAPI 3.0 document: a channel for each topic, an operation for each agent and topic, messages in Avro.
 * @see https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
import { agentTopic, physicalTopic, type AvroSchema, type TopicContract } from '../../contracts/contract.ts'
import type { AgentShape } from '../../contracts/agent-shape.ts'
import { outputKinds, topicsInOrder, type Output, type Topology } from './topology.ts'

/** What the document says of itself. */
export interface AsyncApiOptions {
  readonly title: string
  readonly version: string
  /** Prefix of topics on the broker. @default '' */
  readonly namespace?: string
  /** Bootstrap servers, host:port. @default none */
  readonly brokers?: readonly string[]
}

const KAFKA_BINDING = '0.5.0'
/** Headers that every event carries; all of them are text. */
const HEADERS: Readonly<Record<string, string>> = {
  ce_id: 'Event id',
  ce_type: 'Topic, without namespace',
  ce_source: 'Agent or publisher',
  ce_time: 'When it was made, RFC 3339',
  ce_correlationid: 'Flow id',
  ce_causationid: 'Ids of the events that caused it, with commas between; absent on a first event',
  'laban-hop': '1 + the largest hop of its causes; 0 on a first event',
  traceparent: 'W3C trace context',
}

/** The document as plain data. Topics without a contract here have no payload. */
export function topologyAsyncApi(topology: Topology, options: AsyncApiOptions): object {
  const { title, version, namespace = '', brokers = [] } = options
  const topics = topicsInOrder(topology)
  const contractOf = (topic: string): TopicContract | undefined => topology.topics.get(topic)
  return {
    asyncapi: '3.0.0',
    info: { title, version },
    defaultContentType: 'application/avro',
    ...(brokers.length === 0 ? {} : { servers: serversOf(brokers) }),
    channels: Object.fromEntries(
      topics.map((topic) => [topic, channelOf(topic, physicalTopic(topic, namespace), contractOf(topic))]),
    ),
    operations: Object.fromEntries(topology.agents.flatMap((agent) => operationsOf(agent, namespace))),
    components: { messages: Object.fromEntries(topics.map((topic) => [topic, messageOf(topic, contractOf(topic))])) },
  }
}

function serversOf(brokers: readonly string[]): object {
  return Object.fromEntries(brokers.map((host, index) => [`kafka-${index + 1}`, { host, protocol: 'kafka' }]))
}

function channelOf(topic: string, address: string, contract: TopicContract | undefined): object {
  return {
    address,
    ...(contract === undefined ? {} : { description: `Owner: ${contract.owner}` }),
    messages: { event: { $ref: `#/components/messages/${topic}` } },
    bindings: { kafka: { topic: address, ...limitsOf(contract), bindingVersion: KAFKA_BINDING } },
  }
}

function limitsOf(contract: TopicContract | undefined): object {
  if (contract === undefined) return {}
  const { partitions, replication, cleanup, retentionMs, maxRecordBytes } = contract
  const topicConfiguration = {
    'cleanup.policy': [cleanup],
    ...(cleanup === 'delete' ? { 'retention.ms': retentionMs } : {}),
    'max.message.bytes': maxRecordBytes,
  }
  return { partitions, replicas: replication, topicConfiguration }
}

function operationsOf(agent: AgentShape, namespace: string): readonly (readonly [string, object])[] {
  const groupId = { type: 'string', enum: [physicalTopic(agent.name, namespace)] }
  const receives = agent.topics.map((topic) => {
    const bindings = { kafka: { groupId, bindingVersion: KAFKA_BINDING } }
    return [
      `${agent.name} receives ${topic}`,
      operation('receive', topic, { summary: summaryOf(agent, topic), bindings }),
    ] as const
  })
  const sends = outputKinds(agent).map((output) => {
    return [
      `${agent.name} sends ${output.topic}`,
      operation('send', output.topic, { summary: wordsOf(agent, output) }),
    ] as const
  })
  return [...receives, ...sends]
}

function operation(action: 'receive' | 'send', topic: string, more: object): object {
  return {
    action,
    channel: { $ref: `#/channels/${topic}` },
    ...more,
    messages: [{ $ref: `#/channels/${topic}/messages/event` }],
  }
}

function summaryOf({ name, summary, isJoin, topics }: AgentShape, topic: string): string {
  const others = topics.filter((other) => other !== topic)
  const join = isJoin ? ` Once per flow, together with ${others.join(', ')}.` : ''
  const dead = agentTopic(name, 'dead-letter')
  return `${summary === '' ? `Handled by ${name}.` : summary}${join} Failures go to ${dead}.`
}

function wordsOf({ name, oneOf }: AgentShape, { topic, kind }: Output): string {
  if (kind === 'always') return `Published by every successful handling of ${name}.`
  if (kind === 'maybe') return `May be published by ${name}.`
  return `Published by ${name}, or else ${oneOf.filter((other) => other !== topic).join(' or ')}.`
}

function messageOf(topic: string, contract: TopicContract | undefined): object {
  const properties = Object.fromEntries(
    Object.entries(HEADERS).map(([name, description]) => [name, { type: 'string', description }]),
  )
  const common = { name: topic, contentType: 'application/avro', headers: { type: 'object', properties } }
  if (contract === undefined) return common
  const { schema, keyField } = contract
  const key = { type: 'string', description: keyField === null ? 'Flow id' : `Field ${keyField} of the value` }
  return {
    ...common,
    ...docOf(schema),
    payload: { schemaFormat: 'application/vnd.apache.avro+json;version=1.9.0', schema: withNamespaces(schema) },
    bindings: {
      kafka: {
        key,
        schemaIdLocation: 'payload',
        schemaIdPayloadEncoding: 'confluent',
        schemaLookupStrategy: 'TopicIdStrategy',
        bindingVersion: KAFKA_BINDING,
      },
    },
  }
}

function docOf(schema: AvroSchema): { readonly summary?: string } {
  if (typeof schema === 'string' || !('doc' in schema) || typeof schema['doc'] !== 'string') return {}
  return { summary: schema['doc'] }
}

/** Contracts have full names in canonical form; the document's own schema of Avro wants name and namespace apart. */
function withNamespaces(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withNamespaces)
  if (typeof schema !== 'object' || schema === null) return schema
  const parts = Object.entries(schema).map(([key, part]) => {
    return [
      key,
      ['type', 'items', 'values', 'fields'].includes(key) ? withNamespaces(part) : (part as unknown),
    ] as const
  })
  const { name, ...rest } = Object.fromEntries(parts)
  if (typeof name !== 'string') return rest
  const dot = name.lastIndexOf('.')
  return dot === -1 ? { name, ...rest } : { name: name.slice(dot + 1), namespace: name.slice(0, dot), ...rest }
}
