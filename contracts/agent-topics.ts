/** The topics an agent needs for itself: what waits or failed lies on the log, never only in a store. */
import type { ContractSet } from './contract-set.ts'
import { agentTopic, type AgentTopicPurpose, type TopicContract } from './contract.ts'

/** What the broker must know about a topic: a contract without its meaning. */
export type TopicSettings = Pick<
  TopicContract,
  'name' | 'partitions' | 'replication' | 'minInsyncReplicas' | 'retentionMs' | 'maxRecordBytes' | 'cleanup'
>

const DAY_MS = 86_400_000
/** Dead letters are kept long enough for a person to come back from a holiday. */
const MIN_RETENTION_MS = 30 * DAY_MS
/** A dead letter carries the raw record and, besides it, bounded headers about the error. */
const DEAD_LETTER_EXTRA_BYTES = 64 * 1024
const PURPOSES: readonly AgentTopicPurpose[] = ['dead-letter', 'waiting', 'journal']

/**
 * Settings of the topics `<agent>.dead-letter`, `<agent>.waiting` and `<agent>.journal`. They follow the topics the agent
 * consumes: as many partitions and replicas as the largest, kept at least as long and never under 30 days, records up to
 * the largest plus 64 KiB.
 * @throws LABAN_CONTRACT_UNKNOWN_TOPIC
 */
export function agentTopicSettings(
  agent: { readonly name: string; readonly topics: readonly string[] },
  contracts: ContractSet,
): readonly TopicSettings[] {
  const sources = agent.topics.map((topic) => contracts.get(topic))
  const largest = (pick: (source: TopicContract) => number): number => Math.max(1, ...sources.map(pick))
  const settings = {
    partitions: largest(({ partitions }) => partitions),
    replication: largest(({ replication }) => replication),
    minInsyncReplicas: largest(({ minInsyncReplicas }) => minInsyncReplicas),
    retentionMs: longestRetentionMs([MIN_RETENTION_MS, ...sources.map(({ retentionMs }) => retentionMs)]),
    maxRecordBytes: largest(({ maxRecordBytes }) => maxRecordBytes) + DEAD_LETTER_EXTRA_BYTES,
    cleanup: 'delete',
  } as const
  return PURPOSES.map((purpose) => ({ name: agentTopic(agent.name, purpose), ...settings }))
}

/** The longest of several retentions, where -1 is for ever; 0 for none. */
export function longestRetentionMs(retentionsMs: readonly number[]): number {
  return retentionsMs.includes(-1) ? -1 : Math.max(0, ...retentionsMs)
}
