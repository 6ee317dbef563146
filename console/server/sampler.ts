/** Looks at offsets now and then: what topics hold, how far consumer groups are behind, and from two looks how fast both go. */
import type { Stack } from '../../runtime/internal.ts'

/** What to look at. */
export interface SampleRequest {
  readonly topics: ReadonlySet<string>
  readonly groups: readonly { readonly agent: string; readonly topics: readonly string[] }[]
}

/** How a topic stands. */
export interface TopicNow {
  readonly partitions: number
  readonly records: number
  /** Sum of the end offsets. */
  readonly end: number
}

/** One look, and rates over the looks of the last seconds. Rates are null until there are two. */
export interface Progress {
  /** Undefined for one that does not exist. */
  topic(name: string): TopicNow | undefined
  rateOfTopic(name: string): number | null
  rateOfGroup(agent: string): number | null
  /** Null for a group that has never committed. */
  lagOf(agent: string): number | null
}

interface Sample {
  readonly atMs: number
  readonly topics: ReadonlyMap<string, TopicNow & { readonly ends: ReadonlyMap<number, Range> }>
  readonly groups: ReadonlyMap<string, { readonly committed: number; readonly lag: number }>
}

interface Range {
  readonly start: number
  readonly end: number
}

/** Rates are over this time. */
const WINDOW_MS = 15_000
/** Nobody looked for so long: the rate since then says nothing about now. */
const STALE_MS = 60_000

/** See the file's head. */
export class Sampler {
  readonly #stack: Pick<Stack, 'broker' | 'clock'>
  #samples: Sample[] = []

  constructor(stack: Pick<Stack, 'broker' | 'clock'>) {
    this.#stack = stack
  }

  /** Looks now. */
  async take(request: SampleRequest): Promise<Progress> {
    const { admin } = this.#stack.broker
    const existing = new Set(await admin.listTopics())
    const topics = new Map(
      await Promise.all(
        [...request.topics]
          .filter((topic) => existing.has(topic))
          .map(async (topic) => [topic, await this.#topic(topic)] as const),
      ),
    )
    const groups = new Map<string, { committed: number; lag: number }>()
    await Promise.all(
      request.groups.map(async ({ agent, topics: names }) => {
        const commits = await admin.groupOffsets(
          agent,
          names.filter((name) => existing.has(name)),
        )
        if (commits.length > 0) groups.set(agent, sumUp(commits, names, topics))
      }),
    )
    const sample = { atMs: this.#stack.clock.nowMs(), topics, groups }
    const kept = this.#samples.filter(({ atMs }) => sample.atMs - atMs < STALE_MS)
    // One sample from before the window is its beginning.
    const before = kept.findLastIndex(({ atMs }) => sample.atMs - atMs >= WINDOW_MS)
    this.#samples = [...kept.slice(Math.max(0, before)), sample]
    return progressOf(sample, this.#samples[0] ?? sample)
  }

  async #topic(topic: string): Promise<TopicNow & { ends: Map<number, Range> }> {
    const offsets = await this.#stack.broker.admin.offsets(topic)
    const ends = new Map(offsets.map((each) => [each.partition, { start: each.startOffset, end: each.endOffset }]))
    const records = offsets.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
    const end = offsets.reduce((sum, { endOffset }) => sum + endOffset, 0)
    return { partitions: offsets.length, records, end, ends }
  }
}

function sumUp(
  commits: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[],
  names: readonly string[],
  topics: Sample['topics'],
): { committed: number; lag: number } {
  const offsets = new Map(commits.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]))
  let committed = 0
  let lag = 0
  for (const name of names) {
    for (const [partition, { start, end }] of topics.get(name)?.ends ?? []) {
      // Without a commit of its own a partition is read from its beginning.
      const offset = Math.max(offsets.get(`${name}/${partition}`) ?? 0, start)
      committed += offset
      lag += Math.max(0, end - offset)
    }
  }
  return { committed, lag }
}

function progressOf(now: Sample, first: Sample): Progress {
  const seconds = (now.atMs - first.atMs) / 1_000
  const rate = (last: number | undefined, begin: number | undefined): number | null =>
    last === undefined || begin === undefined || seconds <= 0 ? null : Math.max(0, (last - begin) / seconds)
  return {
    topic: (name) => now.topics.get(name),
    rateOfTopic: (name) => rate(now.topics.get(name)?.end, first.topics.get(name)?.end),
    rateOfGroup: (agent) => rate(now.groups.get(agent)?.committed, first.groups.get(agent)?.committed),
    lagOf: (agent) => now.groups.get(agent)?.lag ?? null,
  }
}
