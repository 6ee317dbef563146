/** Works out where a consumer group would go on reading, and what that means, before anything is changed. */
import { LabanError, type Stack } from '../runtime/internal.ts'

/** Where to go: the ends of the log, a time, or given offsets. */
export type ResetTarget =
  | { readonly to: 'earliest' | 'latest' }
  | { readonly to: 'time'; readonly atMs: number }
  | { readonly to: 'offsets'; readonly offsets: ReadonlyMap<string, number> }

/** One partition's move. */
export interface ResetStep {
  readonly topic: string
  readonly partition: number
  /** Null when the group has never committed here. */
  readonly fromOffset: number | null
  readonly toOffset: number
}

/** Reads `earliest`, `latest`, an ISO time or epoch milliseconds, or `topic/partition=offset,…`. @throws LABAN_USAGE */
export function parseResetTarget(text: string): ResetTarget {
  if (text === 'earliest' || text === 'latest') return { to: text }
  if (text.includes('=')) return { to: 'offsets', offsets: new Map(text.split(',').map(parseOffset)) }
  const atMs = /^\d{11,}$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(atMs)) {
    throw usage(
      `--to ${text} is neither earliest, latest, a time such as 2026-11-21T10:00:00Z, nor <topic>/<partition>=<offset>`,
    )
  }
  return { to: 'time', atMs }
}

function parseOffset(text: string): [string, number] {
  const [, place, offset] = /^(.+\/\d+)=(\d+)$/.exec(text.trim()) ?? []
  if (place === undefined || offset === undefined)
    throw usage(`${text} is not of the form <topic>/<partition>=<offset>`)
  return [place, Number(offset)]
}

/** The moves of a group over some topics, only those that change something. @throws LABAN_USAGE for a partition that is not there */
export async function planReset(
  { broker: { admin } }: Pick<Stack, 'broker'>,
  group: string,
  topics: readonly string[],
  target: ResetTarget,
): Promise<readonly ResetStep[]> {
  const committed = new Map((await admin.groupOffsets(group, topics)).map((commit) => [placeOf(commit), commit.offset]))
  const steps: ResetStep[] = []
  const known = new Set<string>()
  for (const topic of topics) {
    const atTime = target.to === 'time' ? await admin.offsetsAt(topic, target.atMs) : []
    for (const { partition, startOffset, endOffset } of await admin.offsets(topic)) {
      const place = placeOf({ topic, partition })
      known.add(place)
      const wanted = {
        earliest: () => startOffset,
        latest: () => endOffset,
        time: () => atTime.find((at) => at.partition === partition)?.offset ?? endOffset,
        offsets: () => (target.to === 'offsets' ? target.offsets.get(place) : undefined),
      }[target.to]()
      if (wanted === undefined) continue
      const fromOffset = committed.get(place) ?? null
      const toOffset = Math.min(Math.max(wanted, startOffset), endOffset)
      if (toOffset !== fromOffset) steps.push({ topic, partition, fromOffset, toOffset })
    }
  }
  const stranger = target.to === 'offsets' ? [...target.offsets.keys()].find((place) => !known.has(place)) : undefined
  if (stranger !== undefined) throw usage(`${group} does not read ${stranger}`)
  return steps
}

/** What a move means for people. */
export function describeStep({ fromOffset, toOffset }: ResetStep): string {
  if (fromOffset === null) return 'first position'
  return toOffset < fromOffset ? `${fromOffset - toOffset} events again` : `${toOffset - fromOffset} events passed over`
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}

function usage(problem: string): LabanError {
  return new LabanError('LABAN_USAGE', { problem })
}
