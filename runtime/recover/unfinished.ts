/** How far back work may be under way: the oldest record that the groups of an agent have not finished. */
import type { Broker } from '../ports/broker.ts'
import { sideBySide, type LogScan, type Origin } from './log-scan.ts'

/** Committed offsets of a group, by topic. */
export type Committed = ReadonlyMap<string, Origin>

export interface UnfinishedOptions {
  readonly scan: LogScan
  readonly topics: readonly string[]
  readonly committed: Committed
  readonly nowMs: number
}

/** A partition without a commit has been read for less than an interval between two commits; so far is looked back for it. */
export const WITHOUT_COMMIT_MS = 3_600_000
const MAX_SIDE_BY_SIDE = 8

/** What a group has committed. */
export async function committedOrigins(
  broker: Pick<Broker, 'admin'>,
  group: string,
  topics: readonly string[],
): Promise<Committed> {
  const commits = await broker.admin.groupOffsets(group, topics)
  const byTopic = Map.groupBy(commits, ({ topic }) => topic)
  return new Map(
    [...byTopic].map(([topic, own]) => [topic, new Map(own.map(({ partition, offset }) => [partition, offset]))]),
  )
}

/** When the oldest unfinished record of these topics was appended; Infinity when everything is finished. */
export async function oldestUnfinishedMs({ scan, topics, committed, nowMs }: UnfinishedOptions): Promise<number> {
  let oldestMs = Infinity
  for (const topic of topics) {
    const origin = committed.get(topic)
    await sideBySide(await scan.offsets(topic), MAX_SIDE_BY_SIDE, async ({ partition, startOffset, endOffset }) => {
      const offset = origin?.get(partition)
      const from = Math.max(offset ?? 0, startOffset)
      const atMs = await scan.timestampAt({ topic, partition }, from, endOffset)
      if (atMs === undefined) return
      oldestMs = Math.min(oldestMs, offset === undefined ? Math.max(atMs, nowMs - WITHOUT_COMMIT_MS) : atMs)
    })
  }
  return oldestMs
}
