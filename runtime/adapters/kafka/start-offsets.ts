/**
 * Where reading begins in each partition of a new generation: where it had got to, else the committed offset, else what
 * `startFrom` says; never below the start of the log, and at its start when the commit points past the end. A partition that was
 * added to a topic which the group already reads begins at its start: `startFrom` is for a group that is new.
 */
import type { OffsetCommit, StartFrom } from '../../ports/broker.ts'
import type { Logger } from '../../ports/logger.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { fetchGroupOffsets, type NamedGroup } from './group-offsets.ts'
import { partitionName, type Generation, type HeldPartition } from './held-partitions.ts'
import { EARLIEST, LATEST, listOffsets } from './list-offsets.ts'

/** What is needed to find it out. */
export interface StartOffsetsQuery {
  readonly access: ClusterAccess
  readonly group: NamedGroup
  readonly startFrom: StartFrom
  readonly logger: Logger
}

/** Commits by partition name; sets `nextOffset` of every partition that has none yet. */
export async function resolveStartOffsets(
  query: StartOffsetsQuery,
  generation: Generation,
): Promise<ReadonlyMap<string, OffsetCommit>> {
  const all = [...generation.partitions.values()]
  const fetched = await fetchGroupOffsets(query.access, query.group, all)
  const physical = new Map(all.map(({ topic, physicalTopic }) => [topic, physicalTopic]))
  const commits = new Map(
    fetched.map((commit) => [partitionName(physical.get(commit.topic) ?? commit.topic, commit.partition), commit]),
  )
  const fresh = new Map<string, HeldPartition[]>()
  for (const held of all.filter(({ nextOffset }) => nextOffset === undefined)) {
    fresh.set(held.physicalTopic, [...(fresh.get(held.physicalTopic) ?? []), held])
  }
  await markAdded(query, [...fresh.values()].flat(), commits)
  await Promise.all([...fresh.values()].map((ofTopic) => resolveTopic(query, ofTopic, commits)))
  return commits
}

/**
 * Kafka adds partitions at the end, and members commit where they begin within the first interval: so a partition without a commit
 * above all that have one is new in its topic.
 */
async function markAdded(
  { access, group }: StartOffsetsQuery,
  fresh: readonly HeldPartition[],
  commits: ReadonlyMap<string, OffsetCommit>,
): Promise<void> {
  const unknown = fresh.filter(({ physicalTopic, partition }) => !commits.has(partitionName(physicalTopic, partition)))
  for (const [physicalTopic, { topic }] of new Map(unknown.map((held) => [held.physicalTopic, held]))) {
    const known = await access.partitionsOf(physicalTopic, { operation: 'describe', topic })
    const places = known.map(({ partitionId: partition }) => ({ topic, physicalTopic, partition }))
    const highest = Math.max(-1, ...(await fetchGroupOffsets(access, group, places)).map(({ partition }) => partition))
    for (const held of unknown) {
      held.isAdded ||= held.physicalTopic === physicalTopic && highest >= 0 && held.partition > highest
    }
  }
}

async function resolveTopic(
  query: StartOffsetsQuery,
  ofTopic: readonly HeldPartition[],
  commits: ReadonlyMap<string, OffsetCommit>,
): Promise<void> {
  const [first] = ofTopic
  if (first === undefined) return
  const ask = (atMs: number): Promise<ReadonlyMap<number, number>> =>
    listOffsets(
      query.access,
      first,
      ofTopic.map(({ partition }) => partition),
      atMs,
    )
  const { startFrom } = query
  const [starts, ends] = await Promise.all([ask(EARLIEST), ask(LATEST)])
  // After the ends: a record that is appended between the two questions must not lie before the answer.
  const timed = typeof startFrom === 'object' ? await ask(startFrom.atMs) : undefined
  for (const held of ofTopic) {
    const start = starts.get(held.partition) ?? 0
    const end = ends.get(held.partition) ?? start
    const commit = commits.get(partitionName(held.physicalTopic, held.partition))
    const at = timed?.get(held.partition) ?? -1
    const begin = startFrom === 'earliest' || held.isAdded ? start : startFrom === 'latest' || at < 0 ? end : at
    const wanted = commit?.offset ?? begin
    held.nextOffset = wanted > end ? start : Math.max(wanted, start)
    if (commit === undefined || held.nextOffset === commit.offset) continue
    query.logger.error('the committed offset is not on the log: records are lost, or the log was cut', {
      group: query.group.group,
      topic: held.topic,
      partition: held.partition,
      committedOffset: commit.offset,
      logStartOffset: start,
      logEndOffset: end,
      readingFrom: held.nextOffset,
    })
  }
}
