/**
 * Says in one verdict what is the matter with a flow. A pure function of the graph and of what was seen around it: the same input
 * gives the same verdict, and what could not be seen is never taken for absence.
 */
import type { Uuid } from '../../contracts/ids.ts'
import type { FlowGraph, FlowHandling } from '../flow-graph.ts'
import { conformanceVerdicts, lateVerdict } from './conformance.ts'
import { failedVerdict } from './failed.ts'
import type { Observations } from './observations.ts'
import { openVerdict } from './open.ts'
import {
  byWeight,
  DIAGNOSIS_FORMAT_VERSION,
  nameOf,
  rootsOf,
  standsStill,
  verdictOf,
  type Diagnosis,
  type Verdict,
} from './verdict.ts'
import { countText, evidence } from './wording.ts'
import { World } from './world.ts'

/** What is asked. */
export interface DiagnoseOptions {
  /** Judge the reactions to this event before all others. */
  readonly eventId?: Uuid
}

/** See the file's head. */
export function diagnose(graph: FlowGraph, seen: Observations, { eventId }: DiagnoseOptions = {}): Diagnosis {
  const world = new World(graph, seen)
  const found = [
    ...graph.handlings.flatMap((each) => handlingVerdict(world, each)),
    ...conformanceVerdicts(world, eventId),
  ]
  const distinct = [...new Map(found.map((verdict) => [nameOf(verdict), verdict])).values()]
  const heads = withoutCauses(distinct).sort(byRoot)
  const isAbout = ({ subject }: Verdict): boolean => eventId === undefined || subject.eventId === eventId
  const asked = eventId === undefined || eventId === graph.flowId ? heads : heads.filter(isAbout)
  const isHealthy = (verdict: Verdict): boolean => verdict.standing === 'notice' || verdict.standing === 'ended'
  const given = asked.find(({ standing }) => standing === 'ended')
  const verdict = asked.find((each) => !isHealthy(each)) ?? given ?? completedVerdict(world, eventId)
  return {
    formatVersion: DIAGNOSIS_FORMAT_VERSION,
    flowId: graph.flowId,
    asOfMs: seen.nowMs,
    verdict,
    also: heads.filter((each) => each !== verdict),
    unseen: seen.unseen,
  }
}

function handlingVerdict(world: World, handling: FlowHandling): readonly Verdict[] {
  if (handling.status === 'completed') return []
  if (handling.status === 'failed') return [failedVerdict(world, handling)]
  const verdict = openVerdict(world, handling)
  return [lateVerdict(world, handling, verdict) ?? verdict]
}

/** Verdicts that are no cause of another one: what is told as a root is not told twice. */
function withoutCauses(verdicts: readonly Verdict[]): Verdict[] {
  const causes = new Set(verdicts.flatMap((verdict) => verdict.causes.flatMap(allNames)))
  return verdicts.filter((verdict) => !causes.has(nameOf(verdict)))
}

function allNames(verdict: Verdict): readonly string[] {
  return [nameOf(verdict), ...verdict.causes.flatMap(allNames)]
}

/** By the weight of the root; what stands still comes before what moves. */
function byRoot(a: Verdict, b: Verdict): number {
  const [rootA, rootB] = [rootsOf(a)[0] ?? a, rootsOf(b)[0] ?? b]
  return Number(standsStill(rootB)) - Number(standsStill(rootA)) || byWeight(rootA, rootB)
}

function completedVerdict(world: World, eventId: Uuid | undefined): Verdict {
  const { graph } = world
  const { events, handlings, completeness, durationMs } = graph
  const { reactionsEnded, reactionsExpected } = completeness
  const subject = { flowId: graph.flowId, ...(eventId === undefined ? {} : { eventId }) }
  const foreign = events.filter(({ source, hop }) => hop === 0 && source === 'foreign')
  return verdictOf({
    code: 'completed',
    subject,
    sentence:
      eventId === undefined || eventId === graph.flowId
        ? `${countText(events.length, 'event')}, ${countText(handlings.length, 'handling')}, ${reactionsEnded} of ${reactionsExpected} reactions ended`
        : `Every reaction to ${world.event(eventId)?.topic ?? eventId} has ended`,
    evidence: [
      ...(durationMs === null ? [] : [evidence('took', `${durationMs} ms`, 'laban.facts')]),
      ...foreign.map(({ topic }) => evidence('origin', `${topic} comes from a program that is not laban`, topic)),
    ],
    sinceMs: graph.lastSeenAtMs,
  })
}

/** The diagnosis of an id that nothing carries. */
export function unknownDiagnosis(id: string, nowMs: number, searched: readonly string[]): Diagnosis {
  return {
    formatVersion: DIAGNOSIS_FORMAT_VERSION,
    flowId: null,
    asOfMs: nowMs,
    verdict: verdictOf({
      code: 'unknown-id',
      subject: {},
      sentence: `Nothing on the log carries ${id}`,
      evidence: searched.map((text) => evidence('searched', text, 'log')),
      next: 'laban flows',
    }),
    also: [],
    unseen: [],
  }
}
