/**
 * What has to happen on the broker so that its topics fit their contracts: a pure comparison, shown before anything is done.
 * A plan never deletes a topic, a partition or a record by its own decision.
 */
import { longestRetentionMs, type TopicSettings } from './agent-topics.ts'
import { FACTS_TOPIC } from './contract.ts'

/** A topic to create; names are without namespace. */
export interface PlannedTopic {
  readonly topic: string
  readonly partitions: number
  readonly replication: number
  readonly config: Readonly<Record<string, string>>
}

/** A topic as the broker describes it. */
export type ActualTopic = PlannedTopic

/** A broker setting that differs. */
export interface ConfigChange {
  readonly key: string
  /** Undefined when the broker did not state it. */
  readonly from: string | undefined
  readonly to: string
}

/** The steps from what is to what the contracts say. */
export interface TopicPlan {
  readonly create: readonly PlannedTopic[]
  readonly configure: readonly {
    readonly topic: string
    readonly changes: readonly ConfigChange[]
    /** What the change does that cannot be undone; empty when nothing. */
    readonly warning: string
  }[]
  /** Grows topics. Keys move to other partitions, so the order of a key's events breaks at that moment. */
  readonly addPartitions: readonly {
    readonly topic: string
    readonly from: number
    readonly to: number
    readonly warning: string
    /** Agents that handle its events in order: it may only grow while nothing of it is under way. */
    readonly inOrderFor: readonly string[]
  }[]
  /** Differences that Kafka cannot undo or that need an operator; nothing is done about them. */
  readonly differences: readonly { readonly topic: string; readonly problem: string }[]
  /** Contracts that would lose data or history; a plan with refusals must not be applied. */
  readonly refusals: readonly { readonly topic: string; readonly problem: string }[]
}

/**
 * Compares contracts with the broker. `actual` holds the topics that exist, in any order; others are ignored. `inOrderFor` gives
 * the agents that handle the events of a topic in order.
 */
export function planTopics(
  desired: readonly TopicSettings[],
  actual: readonly ActualTopic[],
  inOrderFor: (topic: string) => readonly string[] = () => [],
): TopicPlan {
  const existing = new Map(actual.map((topic) => [topic.topic, topic]))
  const pairs = desired.flatMap((wanted) => {
    const found = existing.get(wanted.name)
    return found === undefined ? [] : [{ wanted, found }]
  })
  return {
    create: desired.filter(({ name }) => !existing.has(name)).map(plannedTopic),
    configure: pairs.flatMap(({ wanted, found }) => configChange(wanted, found)),
    addPartitions: pairs.flatMap(({ wanted, found }) => addedPartitions(wanted, found, inOrderFor(wanted.name))),
    differences: pairs.flatMap(({ wanted, found }) => differences(wanted, found)),
    refusals: findRefusals(desired),
  }
}

/** True when nothing has to be done; differences that are only reported do not count. */
export function isPlanEmpty(plan: TopicPlan): boolean {
  return plan.create.length + plan.configure.length + plan.addPartitions.length + plan.refusals.length === 0
}

/** The topic that settings describe, with broker settings. */
export function plannedTopic(settings: TopicSettings): PlannedTopic {
  const { name: topic, partitions, replication } = settings
  return { topic, partitions, replication, config: brokerConfig(settings) }
}

/**
 * Kafka's default. Its limit is per batch, not per record: below this a batch of many small records would be refused.
 * The smaller limit of a contract is kept by the publisher.
 */
const MIN_BATCH_BYTES = 1_048_588
/** Framing of a batch of one record. */
const BATCH_OVERHEAD_BYTES = 128

function brokerConfig(settings: TopicSettings): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': settings.cleanup,
    'retention.ms': String(settings.retentionMs),
    'min.insync.replicas': String(settings.minInsyncReplicas),
    'max.message.bytes': String(Math.max(MIN_BATCH_BYTES, settings.maxRecordBytes + BATCH_OVERHEAD_BYTES)),
  }
}

function configChange(wanted: TopicSettings, found: ActualTopic): TopicPlan['configure'] {
  const changes = Object.entries(brokerConfig(wanted))
    .map(([key, to]) => ({ key, from: found.config[key], to }))
    .filter(({ from, to }) => from !== to)
  if (changes.length === 0) return []
  return [
    {
      topic: wanted.name,
      changes,
      warning: changes
        .map(irreversible)
        .filter((text) => text !== '')
        .join('; '),
    },
  ]
}

function irreversible({ key, from, to }: ConfigChange): string {
  if (key === 'retention.ms' && to !== '-1' && from !== undefined && (from === '-1' || Number(from) > Number(to))) {
    return 'records older than the new retention are deleted'
  }
  if (key === 'cleanup.policy' && to === 'compact') return 'older records of a key are deleted'
  return ''
}

function addedPartitions(
  wanted: TopicSettings,
  found: ActualTopic,
  inOrderFor: readonly string[],
): TopicPlan['addPartitions'] {
  if (wanted.partitions <= found.partitions || wanted.cleanup === 'compact') return []
  const warning =
    'keys move to other partitions: events of one key may be handled out of order until older ones are done'
  return [{ topic: wanted.name, from: found.partitions, to: wanted.partitions, warning, inOrderFor }]
}

function differences(wanted: TopicSettings, found: ActualTopic): TopicPlan['differences'] {
  const problems: string[] = []
  if (wanted.partitions < found.partitions) {
    problems.push(`has ${found.partitions} partitions, the contract says ${wanted.partitions}; Kafka cannot remove any`)
  }
  if (wanted.partitions > found.partitions && wanted.cleanup === 'compact') {
    const { partitions } = found
    problems.push(
      `has ${partitions} partitions, the contract says ${wanted.partitions}; it is compacted, and a key would be kept twice`,
    )
  }
  if (wanted.replication !== found.replication) {
    const { replication } = found
    problems.push(`has replication ${replication}, the contract says ${wanted.replication}; reassign its partitions`)
  }
  return problems.map((problem) => ({ topic: wanted.name, problem }))
}

/** The facts must outlive what they tell about, and no fact may be compacted away. */
function findRefusals(desired: readonly TopicSettings[]): TopicPlan['refusals'] {
  const facts = desired.find(({ name }) => name === FACTS_TOPIC)
  if (facts === undefined) return []
  if (facts.cleanup === 'compact')
    return [{ topic: FACTS_TOPIC, problem: 'facts must not be compacted: a flow has many' }]
  const others = desired.filter(({ name, cleanup }) => name !== FACTS_TOPIC && cleanup === 'delete')
  const longestMs = longestRetentionMs(others.map(({ retentionMs }) => retentionMs))
  if (facts.retentionMs === -1 || (longestMs !== -1 && longestMs <= facts.retentionMs)) return []
  const longest = others.find(({ retentionMs }) => retentionMs === longestMs)
  const problem = `facts are kept for ${facts.retentionMs} ms, but ${longest?.name ?? ''} for ${longestMs} ms: flows could not be read back`
  return [{ topic: FACTS_TOPIC, problem }]
}
