/** The topics an agent needs for itself: what waits or failed lies on the log, never only in a store. */
import type { ContractSet } from './contract-set.ts'
import { durationText } from './duration.ts'
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
/** Several outputs of one handling lie in one record of the journal; brokers take requests up to 100 MB. */
const MIN_JOURNAL_BYTES = 16 * 1024 * 1024
/** All outputs of one handling together, where there are several. */
export const MAX_OUTPUTS_BYTES = MIN_JOURNAL_BYTES - DEAD_LETTER_EXTRA_BYTES
const PURPOSES: readonly AgentTopicPurpose[] = [
  'dead-letter',
  'waiting',
  'journal',
  'parked',
  'timers',
  'retry.redrive',
]

/** The consumer group of an agent's retry topics, its redrives and its timers. */
export function retryGroup(agent: string): string {
  return `${agent}.retry`
}

/** The topic in which handlings of an agent wait for `delayMs` before their next attempt: `<agent>.retry.10m`. */
export function retryTierTopic(agent: string, delayMs: number): string {
  return agentTopic(agent, `retry.${durationText(delayMs)}`)
}

/** Milliseconds for which the dead letters of an agent are kept, as its settings say; -1 for ever. */
export function deadLettersKept(agent: { readonly topics: readonly string[] }, contracts: ContractSet): number {
  return longestRetentionMs([MIN_RETENTION_MS, ...agent.topics.map((topic) => contracts.get(topic).retentionMs)])
}

/**
 * Settings of the topics `<agent>.dead-letter`, `<agent>.waiting`, `<agent>.journal`, `<agent>.parked`, `<agent>.timers`,
 * `<agent>.retry.redrive` and one `<agent>.retry.<delay>` for each tier. They follow the topics the agent consumes: as many partitions and replicas as the
 * largest, kept at least as long and never under 30 days, records up to the largest plus 64 KiB; the journal, which holds all
 * outputs of a handling in one record, at least 16 MiB. Parked records and timers stay until a tombstone ends them.
 * @throws LABAN_CONTRACT_UNKNOWN_TOPIC
 */
export function agentTopicSettings(
  agent: {
    readonly name: string
    readonly topics: readonly string[]
    readonly retry?: { readonly tiersMs: readonly number[] }
  },
  contracts: ContractSet,
): readonly TopicSettings[] {
  const sources = agent.topics.map((topic) => contracts.get(topic))
  const largest = (pick: (source: TopicContract) => number): number => Math.max(1, ...sources.map(pick))
  const settings = {
    partitions: largest(({ partitions }) => partitions),
    replication: largest(({ replication }) => replication),
    minInsyncReplicas: largest(({ minInsyncReplicas }) => minInsyncReplicas),
    retentionMs: deadLettersKept(agent, contracts),
    maxRecordBytes: largest(({ maxRecordBytes }) => maxRecordBytes) + DEAD_LETTER_EXTRA_BYTES,
    cleanup: 'delete' as TopicSettings['cleanup'],
  }
  const journalBytes = Math.max(settings.maxRecordBytes, MIN_JOURNAL_BYTES)
  const own = PURPOSES.map((purpose) => ({
    name: agentTopic(agent.name, purpose),
    ...settings,
    ...(purpose === 'journal' ? { maxRecordBytes: journalBytes } : {}),
  }))
  const tiers = (agent.retry?.tiersMs ?? []).map((delayMs) => ({
    name: retryTierTopic(agent.name, delayMs),
    ...settings,
  }))
  const compacted = new Set([agentTopic(agent.name, 'parked'), agentTopic(agent.name, 'timers')])
  return [...own, ...tiers].map((topic) => (compacted.has(topic.name) ? { ...topic, cleanup: 'compact' } : topic))
}

/** The longest of several retentions, where -1 is for ever; 0 for none. */
export function longestRetentionMs(retentionsMs: readonly number[]): number {
  return retentionsMs.includes(-1) ? -1 : Math.max(0, ...retentionsMs)
}
