/** What is said on a topic: its schema, its owner and its limits. The shapes that all rooms share; loading is in `contract-set.ts`. */

/** An Avro schema as JSON, with named types inlined. */
export type AvroSchema = string | { readonly [key: string]: unknown } | readonly AvroSchema[]

/** A semantic rule on the value of a topic, a CEL expression over `event`. */
export interface RuleContract {
  readonly name: string
  /** CEL over `event`, for example `event.confidence >= 0.7`. */
  readonly expression: string
  /** Where it is checked. @default ['read', 'write'] */
  readonly on: readonly ('read' | 'write')[]
}

/** What subscribers owe a topic. */
export interface TopicExpectations {
  /** Longest time from the record to the end of a reaction. */
  readonly withinMs: number
}

/** One row of the topic table joined with its schema. */
export interface TopicContract {
  /** Topic name without namespace; also the event type. */
  readonly name: string
  /** File of the schema, for messages; `contract of <topic>` for one that was given in code. */
  readonly file: string
  /** The team or service that answers for it. */
  readonly owner: string
  /** Field of the value that is the record key; null: the flow id. */
  readonly keyField: string | null
  readonly partitions: number
  readonly replication: number
  readonly minInsyncReplicas: number
  /** How long records are kept; -1 for ever. */
  readonly retentionMs: number
  /** How long the ledger keeps its records, longer than the topic itself; -1 for ever; absent: not at all. */
  readonly archiveMs?: number
  /** Largest record, key and headers included. */
  readonly maxRecordBytes: number
  readonly cleanup: 'delete' | 'compact'
  readonly rules: readonly RuleContract[]
  /** What the owner of the topic expects of everybody who subscribes to it; absent for nothing. */
  readonly expects?: TopicExpectations
  /** Its events come from outside, too, so no agent needs to produce it. @default false */
  readonly isEntry?: boolean
  /** Flows end here, so no agent needs to consume it. @default false */
  readonly isEnd?: boolean
  /** Agents that may produce it; `credit.*` for all of a domain. Absent: any. */
  readonly producers?: readonly string[]
  readonly schema: AvroSchema
  /** Canonical minified schema text: what is registered and compared. */
  readonly schemaText: string
}

/** Registry subject of a topic; the namespace is part of the topic's physical name. */
export function subjectOf(topic: string, namespace = ''): string {
  return `${physicalTopic(topic, namespace)}-value`
}

/** Name of a topic on the broker: namespace, dot, name. Adapters apply it; everything else uses names without namespace. */
export function physicalTopic(topic: string, namespace: string): string {
  return namespace === '' ? topic : `${namespace}.${topic}`
}

/** Topics that one agent needs for itself, by purpose. */
export type AgentTopicPurpose =
  'dead-letter' | 'waiting' | 'journal' | 'parked' | 'timers' | 'retry.redrive' | `retry.${string}`

/** Name of an agent's own topic. */
export function agentTopic(agent: string, purpose: AgentTopicPurpose): string {
  return `${agent}.${purpose}`
}

/** The platform's topic of facts, keyed by flow id. */
export const FACTS_TOPIC = 'laban.facts'
/** The platform's compacted topic of manifests, keyed by agent and instance. */
export const AGENTS_TOPIC = 'laban.agents'

/** The record key that the contract's key field gives; undefined without such a field, or a value that is no key. */
export function keyOfValue({ keyField }: Pick<TopicContract, 'keyField'>, value: unknown): string | undefined {
  if (keyField === null) return undefined
  const field = (value as Readonly<Record<string, unknown>>)[keyField]
  return typeof field === 'string' || typeof field === 'number' || typeof field === 'bigint' ? String(field) : undefined
}
