/**
 * Everything that stands still, by root cause: flows that facts tell of, and records that nobody has told of because their agent has
 * not reached them. All are counted; of flows that look alike the oldest are looked at, and what holds for them counts for the others.
 */
import { isLabanError } from '../../contracts/errors.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { SeenEvent } from '../../tracing/event-drafts.ts'
import { rootsOf, standsStill, verdictOf, type Diagnosis } from '../../tracing/diagnose/verdict.ts'
import { countText, evidence } from '../../tracing/diagnose/wording.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { reconstructFlow } from '../../tracing/reconstruct.ts'
import { Subscriptions } from '../../tracing/subscriptions.ts'
import { seenEvent } from '../readback/event-records.ts'
import type { FlowSource } from '../readback/flow-source.ts'
import { recordsIn } from '../readback/platform-records.ts'
import type { UnfinishedFlows } from '../readback/unfinished.ts'
import { isMomentary } from './doubt.ts'
import { isFinishedAt, unfinished, type Lookout } from './lookout.ts'
import { StuckGroups, type StuckGroup } from './stuck-groups.ts'

/** See the file's head. */
export interface StuckReport {
  readonly asOfMs: number
  /** The oldest cause first. */
  readonly groups: readonly StuckGroup[]
  /** Flows that have not ended well. */
  readonly unfinished: number
  /** Those of them that were looked at one by one. */
  readonly looked: number
  /** Those of all that move. */
  readonly moving: number
  /** What could not be looked at, one sentence each. */
  readonly unseen: readonly string[]
}

/** So many flows are looked at one by one. */
const MOST_FLOWS = 500
/** Records of one partition that nobody has told of. */
const MOST_RECORDS = 100
/** What moves on by itself within this time is not asked about. */
const YOUNG_MS = 1_000
/** Flows that are looked at at once. */
const AT_ONCE = 8

/** What is looked with. */
export interface Looking {
  readonly source: FlowSource
  readonly lookout: Lookout
  judge(graph: FlowGraph): Promise<Diagnosis>
  /** Reads the flow anew and looks with fresh eyes. @throws LABAN_FLOW_NOT_FOUND */
  judgeAgain(flowId: Uuid): Promise<Diagnosis>
}

/** See the file's head. @throws LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE */
export async function findStuck({ source, lookout, judge, judgeAgain }: Looking): Promise<StuckReport> {
  const { clock } = lookout.options
  const beforeMs = clock.nowMs() - YOUNG_MS
  const found = await source.unfinished({ beforeMs, mostGraphs: MOST_FLOWS })
  const unheard = await unheardFlows(lookout, found, beforeMs)
  const kinds = [...found.kinds, ...unheard.map((graph) => ({ count: 1, oldest: [graph] }))]
  const groups = new StuckGroups()
  for (const { count, oldest } of kinds) groups.add(await inTurns(oldest, judge), count)
  await groups.doubt(isMomentary, (flowId) => stillStands(judgeAgain, flowId))
  for (const newer of found.unreadable) groups.addRoot(unreadableVerdict(newer), newer.flowId)
  const total = kinds.reduce((sum, { count }) => sum + count, 0)
  if (total > groups.looked) lookout.unseen.add(alikeText(total, groups.looked))
  return {
    asOfMs: clock.nowMs(),
    groups: groups.list(),
    unfinished: total + found.unreadable.length,
    looked: groups.looked,
    moving: groups.moving,
    unseen: [...found.unseen, ...lookout.unseen],
  }
}

/** What cannot be read again is left as it was seen. */
async function stillStands(judgeAgain: Looking['judgeAgain'], flowId: Uuid): Promise<boolean> {
  try {
    return rootsOf((await judgeAgain(flowId)).verdict).some(standsStill)
  } catch (error) {
    if (isLabanError(error)) return true
    throw error
  }
}

function alikeText(total: number, looked: number): string {
  return (
    `${total} flows are unfinished; ${looked} were looked at one by one, the oldest of every kind (state, first topic, agents, errors). ` +
    'The others are counted with those of their kind.'
  )
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (let begin = 0; begin < items.length; begin += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(begin, begin + AT_ONCE).map(work))))
  }
  return results
}

function unreadableVerdict({
  place,
  found,
  known,
  flowId,
}: UnfinishedFlows['unreadable'][number]): Diagnosis['verdict'] {
  return verdictOf({
    code: 'version-mismatch',
    subject: { flowId },
    sentence: `The fact at ${place} has format ${found}, and this laban knows ${known} at most, so its flow was not judged`,
    evidence: [evidence('fact', place, 'laban.facts')],
    next: 'laban --version',
  })
}

/** Flows of records that a group has not finished and that are not among those that facts tell of. */
async function unheardFlows(
  lookout: Lookout,
  { among }: Pick<UnfinishedFlows, 'among'>,
  beforeMs: number,
): Promise<readonly FlowGraph[]> {
  const records = (await unreadRecords(lookout)).filter(({ recordedAtMs }) => recordedAtMs < beforeMs)
  const byFlow = Map.groupBy(records, ({ envelope }) => envelope.flowId)
  const known = await among([...byFlow.keys()])
  const manifests = new Subscriptions(lookout.options.manifests)
  return [...byFlow]
    .filter(([flowId]) => !known.has(flowId))
    .map(([flowId, events]) => reconstructFlow({ flowId, facts: [], events, manifests }))
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
      const at = { topic, partition: Number(place.slice(topic.length + 1)) }
      const fromOffset = Math.max(progress.committed ?? progress.startOffset, progress.startOffset)
      const toOffset = Math.min(progress.endOffset, fromOffset + MOST_RECORDS)
      for await (const record of recordsIn(broker, { ...at, fromOffset, toOffset })) {
        if (record.offset >= toOffset) break
        if (isFinishedAt(progress, record.offset)) continue
        found.set(`${place}@${record.offset}`, seenEvent(at, record))
      }
      if (progress.endOffset > toOffset) lookout.unseen.add(backlogText(agent, place, unfinished(progress)))
    }
  }
  return [...found.values()]
}

function backlogText(agent: string, place: string, records: number): string {
  return `${agent} has ${countText(records, 'unread record')} in ${place}; of those that no fact tells of, the first ${MOST_RECORDS} offsets were looked at.`
}
