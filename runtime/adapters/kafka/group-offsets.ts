/** Committed offsets of a group, read and written at its coordinator without becoming a member. */
import type { OffsetCommit, TopicPartition } from '../../ports/broker.ts'
import { buildCall, callWithoutParsing } from './broker-calls.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { createErrorFromCode } from './kafkajs-internals.ts'

/** A group under both of its names. */
export interface NamedGroup {
  readonly group: string
  readonly physicalGroup: string
}

/** A partition with the name of its topic on the broker. */
export interface NamedPartition extends TopicPartition {
  readonly physicalTopic: string
}

/** Marks a commit that is not made by a member: accepted only while the group has none. */
const NO_GENERATION = -1
const NO_MEMBER = ''

interface OffsetFetchAnswer {
  readonly responses: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly offset: string
      readonly metadata: string | null
      readonly errorCode: number
    }[]
  }[]
}

interface OffsetCommitAnswer {
  readonly responses: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[]
}

/** What the group has committed for these partitions; those without a commit are left out. */
export function fetchGroupOffsets(
  access: ClusterAccess,
  { group, physicalGroup }: NamedGroup,
  positions: readonly NamedPartition[],
): Promise<readonly OffsetCommit[]> {
  if (positions.length === 0) return Promise.resolve([])
  const names = new Map(positions.map(({ physicalTopic, topic }) => [physicalTopic, topic]))
  return access.retry({ operation: 'read offsets', topic: group }, async () => {
    const coordinator = await access.coordinatorOf(physicalGroup)
    const topics = byTopic(positions, ({ partition }) => ({ partition }))
    const call = buildCall(coordinator, 'OffsetFetch', { groupId: physicalGroup, topics })
    const { responses } = await callWithoutParsing<OffsetFetchAnswer>(coordinator, call)
    return responses.flatMap(({ topic, partitions }) =>
      partitions.flatMap(({ partition, offset, metadata, errorCode }) => {
        if (errorCode !== 0) throw createErrorFromCode(errorCode)
        if (Number(offset) < 0) return []
        return [{ topic: names.get(topic) ?? topic, partition, offset: Number(offset), metadata: metadata ?? '' }]
      }),
    )
  })
}

/** Commits for a group without members. @throws LABAN_BROKER_REFUSED when it has some */
export function storeGroupOffsets(
  access: ClusterAccess,
  { group, physicalGroup }: NamedGroup,
  commits: readonly (OffsetCommit & NamedPartition)[],
): Promise<void> {
  if (commits.length === 0) return Promise.resolve()
  return access.retry({ operation: 'set offsets of a group', topic: group }, async () => {
    const coordinator = await access.coordinatorOf(physicalGroup)
    const topics = byTopic(commits, ({ partition, offset, metadata }) => ({
      partition,
      offset: String(offset),
      metadata,
    }))
    const call = buildCall(coordinator, 'OffsetCommit', {
      groupId: physicalGroup,
      groupGenerationId: NO_GENERATION,
      memberId: NO_MEMBER,
      topics,
    })
    const { responses } = await callWithoutParsing<OffsetCommitAnswer>(coordinator, call)
    const failed = responses.flatMap(({ partitions }) => partitions).find(({ errorCode }) => errorCode !== 0)
    if (failed !== undefined) throw createErrorFromCode(failed.errorCode)
  })
}

/** Entries of a request grouped by topic. */
export function byTopic<T extends NamedPartition, R>(
  positions: readonly T[],
  toEntry: (position: T) => R,
): readonly { readonly topic: string; readonly partitions: readonly R[] }[] {
  const topics = new Map<string, { topic: string; partitions: R[] }>()
  for (const position of positions) {
    const entry = topics.get(position.physicalTopic) ?? { topic: position.physicalTopic, partitions: [] }
    topics.set(position.physicalTopic, entry)
    entry.partitions.push(toEntry(position))
  }
  return [...topics.values()]
}
