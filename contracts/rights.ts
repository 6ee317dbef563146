/**
 * What Kafka must allow: the least rights of an agent, a publisher and a reader, read off definitions and contracts. The start of
 * an agent asks for exactly these, and `laban acl` prints them. Who may read or write a topic may describe it.
 */
import { agentTopicSettings, retryGroup } from './agent-topics.ts'
import type { ContractSet } from './contract-set.ts'
import { AGENTS_TOPIC, FACTS_TOPIC, physicalTopic } from './contract.ts'

/** One right, as an ACL of Kafka grants it. */
export interface Right {
  readonly resource: 'topic' | 'group'
  /** Without namespace. */
  readonly name: string
  readonly operation: 'Read' | 'Write'
  /** What it is for. */
  readonly purpose: string
}

/** What rights are derived from. */
export interface RightsOfWhom {
  readonly name: string
  /** Consumed. */
  readonly topics: readonly string[]
  readonly always: readonly string[]
  readonly oneOf: readonly string[]
  readonly maybe: readonly string[]
  readonly retry?: { readonly tiersMs: readonly number[] }
}

/** Beginnings of the agent's own topics that it reads all the time. */
const READ_AGAIN: readonly string[] = ['parked', 'timers', 'retry.']
const READ_BACK = 'read back what a lost store knew'

/** The least rights of one agent. @throws LABAN_CONTRACT_UNKNOWN_TOPIC */
export function agentRights(agent: RightsOfWhom, contracts: ContractSet): readonly Right[] {
  const produced = new Set([...agent.always, ...agent.oneOf, ...agent.maybe])
  const own = agentTopicSettings(agent, contracts).map(({ name }) => name)
  const isReadAgain = (name: string): boolean =>
    READ_AGAIN.some((beginning) => name.startsWith(`${agent.name}.${beginning}`))
  return [
    ...[agent.name, retryGroup(agent.name)].map((name) => group(name, 'share the work among instances')),
    ...agent.topics.map((name) => read(name, 'consume')),
    ...[...produced].map((name) => write(name, 'publish')),
    ...[...produced].filter((name) => !agent.topics.includes(name)).map((name) => read(name, READ_BACK)),
    write(FACTS_TOPIC, 'record every handling'),
    read(FACTS_TOPIC, READ_BACK),
    write(AGENTS_TOPIC, 'announce itself'),
    ...own.map((name) => write(name, 'keep what waits or failed')),
    ...own.map((name) => read(name, isReadAgain(name) ? 'take up what waits' : READ_BACK)),
  ]
}

/** The least rights of a program that begins flows with events of these topics. */
export function publisherRights(topics: readonly string[]): readonly Right[] {
  return [...topics.map((name) => write(name, 'publish')), write(FACTS_TOPIC, 'record what was published')]
}

/** The least rights of whoever reads flows back, as `laban flow` does. */
export function readerRights(contracts: ContractSet): readonly Right[] {
  const topics = [...contracts.topics.keys()]
  return topics.map((name) =>
    read(name, name === FACTS_TOPIC ? 'read handlings' : name === AGENTS_TOPIC ? 'read who is there' : 'read events'),
  )
}

/** The name of a right's resource on the broker. */
export function physicalName({ name }: Right, namespace: string): string {
  return physicalTopic(name, namespace)
}

/** Topics that begin flows: some agent consumes them and none of these publishes them. */
export function firstTopics(agents: readonly RightsOfWhom[]): readonly string[] {
  const produced = new Set(agents.flatMap(({ always, oneOf, maybe }) => [...always, ...oneOf, ...maybe]))
  return [...new Set(agents.flatMap(({ topics }) => topics))].filter((topic) => !produced.has(topic)).sort()
}

function group(name: string, purpose: string): Right {
  return { resource: 'group', name, operation: 'Read', purpose }
}

function read(name: string, purpose: string): Right {
  return { resource: 'topic', name, operation: 'Read', purpose }
}

function write(name: string, purpose: string): Right {
  return { resource: 'topic', name, operation: 'Write', purpose }
}
