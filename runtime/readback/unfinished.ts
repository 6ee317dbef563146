/**
 * Flows that have not ended well, sorted into kinds that look alike from outside: all of them are counted, and the oldest of every kind
 * are there as graphs. Rule: a flow that cannot be read is named and never keeps others from being found.
 */
import type { Uuid } from '../../contracts/ids.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import type { FlowSummary } from './list-flows.ts'
import type { NewerRecord } from './platform-records.ts'

/** What is asked for. */
export interface UnfinishedOptions {
  /** Flows that began later are left out: most of them end by themselves. Epoch ms. */
  readonly beforeMs: number
  /** Graphs in all, spread over the kinds. */
  readonly mostGraphs: number
}

/** What flows have in common that look alike from outside. */
export type FlowLooks = Pick<FlowSummary, 'status' | 'firstTopic' | 'attention' | 'errorCodes'>

/** Flows that look alike. */
export interface AlikeFlows extends FlowLooks {
  readonly count: number
  /** When the oldest of them began, epoch ms; null when unknown. */
  readonly startedAtMs: number | null
  /** The oldest of them, the oldest first; one at least. */
  readonly oldest: readonly FlowGraph[]
}

/** See the file's head. */
export interface UnfinishedFlows {
  /** The kind with the oldest flow first. */
  readonly kinds: readonly AlikeFlows[]
  /** Facts of a newer format, and thereby flows that were not judged. */
  readonly unreadable: readonly (NewerRecord & { readonly flowId: Uuid })[]
  /** What could not be looked at, one sentence each. */
  readonly unseen: readonly string[]
  /** Which of these flows are counted here, or are unreadable. */
  among(flowIds: readonly Uuid[]): Promise<ReadonlySet<Uuid>>
}

/** More of one kind would say the same again. */
const MOST_OF_A_KIND = 100

/** Whether a flow belongs here: somebody should look at it, and it is no longer young. */
export function isUnfinished(
  { status, attention, startedAtMs }: Pick<FlowSummary, 'status' | 'attention' | 'startedAtMs'>,
  beforeMs: number,
): boolean {
  return status !== 'completed' && attention.length > 0 && (startedAtMs === null || startedAtMs < beforeMs)
}

interface Kind {
  readonly looks: FlowLooks
  count: number
  readonly oldest: { readonly startedAtMs: number; readonly graph: FlowGraph }[]
}

/** Collects flows by kind and keeps only as many graphs as are asked for. */
export class UnfinishedKinds {
  readonly #kinds = new Map<string, Kind>()

  /** Enters a flow. `alike` more are counted with it that are not given. */
  add(summary: FlowSummary, graph: FlowGraph, alike = 0): void {
    const kind = this.#kindOf(summary)
    kind.count += 1 + alike
    const { oldest } = kind
    const startedAtMs = summary.startedAtMs ?? 0
    if (oldest.length === MOST_OF_A_KIND && startedAtMs >= (oldest.at(-1)?.startedAtMs ?? 0)) return
    const at = oldest.findIndex((other) => other.startedAtMs > startedAtMs)
    oldest.splice(at < 0 ? oldest.length : at, 0, { startedAtMs, graph })
    if (oldest.length > MOST_OF_A_KIND) oldest.pop()
  }

  /** The kinds, with so many graphs in all: the oldest of each kind before the second oldest of any. */
  list(mostGraphs: number): readonly AlikeFlows[] {
    const kinds = [...this.#kinds.values()].sort((a, b) => sinceMs(a) - sinceMs(b))
    const shares = shareOut(
      kinds.map(({ oldest }) => oldest.length),
      mostGraphs,
    )
    return kinds.map(({ looks, count, oldest }, index) => ({
      ...looks,
      count,
      startedAtMs: oldest[0]?.graph.startedAtMs ?? null,
      oldest: oldest.slice(0, shares[index]).map(({ graph }) => graph),
    }))
  }

  #kindOf({ status, firstTopic, attention, errorCodes }: FlowLooks): Kind {
    const name = JSON.stringify([status, firstTopic, attention, errorCodes])
    let kind = this.#kinds.get(name)
    if (kind === undefined) {
      kind = { looks: { status, firstTopic, attention, errorCodes }, count: 0, oldest: [] }
      this.#kinds.set(name, kind)
    }
    return kind
  }
}

function sinceMs({ oldest }: Kind): number {
  return oldest[0]?.startedAtMs ?? 0
}

/**
 * How many of each kind may be looked at when there is room for `most` in all: no kind has more than one less than another one that has
 * more to show, and every kind has one at least.
 */
export function shareOut(sizes: readonly number[], most: number): readonly number[] {
  const shares = sizes.map((size) => Math.min(1, size))
  let left = most - shares.length
  for (let round = 2; left > 0 && sizes.some((size) => size >= round); round++) {
    for (const [index, size] of sizes.entries()) {
      if (size < round || left <= 0) continue
      shares[index] = round
      left--
    }
  }
  return shares
}
