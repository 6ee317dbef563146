/**
 * Everything that stands still, by root cause: flows that facts tell of, and records that nobody has told of because their agent has
 * not reached them. The oldest cause comes first.
 */
import type { Uuid } from '../../contracts/ids.ts'
import type { SeenEvent } from '../../tracing/event-drafts.ts'
import { rootsOf, standsStill, type Diagnosis, type Verdict } from '../../tracing/diagnose/verdict.ts'
import type { FlowGraph, FlowStatus } from '../../tracing/flow-graph.ts'
import { seenEvent } from '../readback/event-records.ts'
import type { FlowSource } from '../readback/flow-source.ts'
import { recordsIn } from '../readback/platform-records.ts'
import { graphOfEvent } from './find.ts'
import { isFinishedAt, type Lookout } from './lookout.ts'

/** One root cause and what it holds up. */
export interface StuckGroup {
  readonly cause: Verdict
  /** Flows that it holds up, as far as they were looked at. */
  readonly flows: number
  /** Since when the oldest of them stands, epoch ms; null when unknown. */
  readonly sinceMs: number | null
  /** Some of them, the oldest first. */
  readonly examples: readonly Uuid[]
}

/** See the file's head. */
export interface StuckReport {
  readonly asOfMs: number
  readonly groups: readonly StuckGroup[]
  /** Unfinished flows that were looked at, and those among them that move. */
  readonly looked: number
  readonly moving: number
  /** What could not be looked at, one sentence each. */
  readonly unseen: readonly string[]
}

const UNFINISHED: ReadonlySet<FlowStatus> = new Set(['pending', 'processing', 'waiting', 'stuck', 'failed'])
/** More flows than this are not diagnosed one by one: their causes would be the same. */
const MOST_FLOWS = 500
/** Records of one partition that nobody has told of. */
const MOST_RECORDS = 100
const SHOWN_EXAMPLES = 3
/** What moves on by itself within this time is not asked about. */
const YOUNG_MS = 1_000

type Judge = (lookout: Lookout, graph: FlowGraph) => Promise<Diagnosis>

/** See the file's head. */
export async function findStuck(
  { source }: { readonly source: FlowSource },
  judge: Judge,
  newLookout: () => Promise<Lookout>,
): Promise<StuckReport> {
  const lookout = await newLookout()
  const graphs = await unfinishedFlows(source, lookout)
  const known = new Set(graphs.map(({ flowId }) => flowId))
  for (const seen of await unreadRecords(lookout)) {
    if (known.has(seen.envelope.flowId)) continue
    known.add(seen.envelope.flowId)
    graphs.push(await graphOfEvent(source, seen))
  }
  const looked = graphs.slice(0, MOST_FLOWS)
  const diagnoses: Diagnosis[] = []
  for (const graph of looked) diagnoses.push(await judge(lookout, graph))
  const standing = diagnoses.filter((each) => rootsOf(each.verdict).some(standsStill))
  if (graphs.length > looked.length) {
    lookout.unseen.add(`${graphs.length} flows are unfinished; the oldest ${looked.length} of them were looked at.`)
  }
  return {
    asOfMs: lookout.options.clock.nowMs(),
    groups: groupByRoot(standing),
    looked: looked.length,
    moving: looked.length - standing.length,
    unseen: [...lookout.unseen],
  }
}

/** The oldest first. */
async function unfinishedFlows(source: FlowSource, lookout: Lookout): Promise<FlowGraph[]> {
  const graphs: FlowGraph[] = []
  if (source.graphs !== undefined) {
    for await (const graph of source.graphs(UNFINISHED)) graphs.push(graph)
  } else {
    for (const status of UNFINISHED) {
      const { flows } = await source.search({ status, limit: MOST_FLOWS })
      for (const { flowId } of flows) graphs.push(await source.flow(flowId))
    }
  }
  const nowMs = lookout.options.clock.nowMs()
  return graphs
    .filter(({ startedAtMs }) => startedAtMs === null || nowMs - startedAtMs > YOUNG_MS)
    .sort((a, b) => (a.startedAtMs ?? 0) - (b.startedAtMs ?? 0))
}

/** Records that a group has not finished, the oldest of each partition. */
async function unreadRecords(lookout: Lookout): Promise<readonly SeenEvent[]> {
  const { manifests, broker, contracts } = lookout.options
  const pairs = new Map(
    manifests.flatMap(({ agent, consumes }) => consumes.map((topic) => [`${agent} ${topic}`, { agent, topic }])),
  )
  const found = new Map<string, SeenEvent>()
  for (const { agent, topic } of pairs.values()) {
    if (!contracts.topics.has(topic)) continue
    for (const [place, progress] of await lookout.progress(agent, topic)) {
      const partition = Number(place.slice(topic.length + 1))
      const fromOffset = Math.max(progress.committed ?? progress.startOffset, progress.startOffset)
      const toOffset = Math.min(progress.endOffset, fromOffset + MOST_RECORDS)
      const at = { topic, partition }
      for await (const record of recordsIn(broker, { ...at, fromOffset, toOffset })) {
        if (record.offset >= toOffset) break
        if (isFinishedAt(progress, record.offset)) continue
        found.set(`${place}@${record.offset}`, seenEvent(at, record))
      }
    }
  }
  const nowMs = lookout.options.clock.nowMs()
  return [...found.values()].filter(({ recordedAtMs }) => nowMs - recordedAtMs > YOUNG_MS)
}

/** One group for each root that stands: the same code at the same agent and topic. */
function groupByRoot(diagnoses: readonly Diagnosis[]): readonly StuckGroup[] {
  const roots = diagnoses.flatMap((diagnosis) =>
    rootsOf(diagnosis.verdict)
      .filter(standsStill)
      .slice(0, 1)
      .map((root) => ({ root, diagnosis })),
  )
  const groups = Map.groupBy(roots, ({ root }) => [root.code, root.subject.agent, root.subject.topic].join(' '))
  return [...groups.values()]
    .map((members): StuckGroup | undefined => {
      const byAge = members.toSorted((a, b) => (a.root.sinceMs ?? 0) - (b.root.sinceMs ?? 0))
      const [first] = byAge
      if (first === undefined) return undefined
      const flows = [...new Set(byAge.flatMap(({ diagnosis }) => diagnosis.flowId ?? []))]
      return {
        cause: first.root,
        flows: flows.length,
        sinceMs: first.root.sinceMs,
        examples: flows.slice(0, SHOWN_EXAMPLES),
      }
    })
    .filter((group) => group !== undefined)
    .sort((a, b) => (a.sinceMs ?? 0) - (b.sinceMs ?? 0))
}
