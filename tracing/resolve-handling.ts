/** Turns the facts of one handling into what happened: its status, attempts and times. */
import type { Fact, FactOutcome } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import { largestOf, smallestOf } from './extremes.ts'
import type { EventDraft, EventDrafts } from './event-drafts.ts'
import type { FlowHandling, FlowStatus, JoinState } from './flow-graph.ts'
import type { HandlingDraft } from './handling-drafts.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What ends a handling, the strongest first: a dead letter that was redriven and then completed has completed. */
const ENDS: readonly FactOutcome[] = ['compensated', 'cancelled', 'completed', 'rejected', 'dead-lettered']

/** True when nothing more is to come from a handling with this status. */
export function hasEnded(status: FlowStatus): boolean {
  return status === 'completed' || status === 'failed'
}

/** See the file's head. `stuck` is not decided here: it depends on all handlings together. */
export function resolveHandling(draft: HandlingDraft, events: EventDrafts, subscriptions: Subscriptions): FlowHandling {
  const attempts = attemptsOf(draft)
  const decided = decidedBy(attempts.end ?? attempts.last, draft)
  const join = draft.isJoin ? joinStateOf(draft, attempts.end, events, subscriptions) : null
  const inferred = attempts.end === undefined && draft.outputs.size > 0
  const inputs = inputsOf(draft, attempts.end, events)
  const members = inputs.flatMap((id) => events.byId.get(id) ?? [])
  const recordedAtMs = largestOf(members.map(recordedAt))
  const times = timesOf(attempts, recordedAtMs)
  return {
    key: draft.key,
    agent: draft.agent,
    handlingId: draft.handlingId,
    status: inferred ? 'completed' : statusOf(draft, attempts, join),
    outcome: decided.outcome,
    agentVersion: decided.agentVersion,
    instance: decided.instance,
    inputs,
    outputs: [...draft.outputs].sort(),
    join,
    hop: largestOf(members.map((event) => event.hop)),
    steps: decided.steps,
    attempts: attempts.count,
    failedAttempts: attempts.failed.map(({ attempt, endedAtMs, errorCode, errorMessage }) => ({
      attempt,
      endedAtMs,
      errorCode,
      errorMessage,
    })),
    duplicatesSkipped: draft.facts.filter((fact) => fact.outcome === 'duplicate').length,
    ...times,
    errorCode: decided.errorCode,
    errorMessage: decided.errorMessage,
    deadLetter: attempts.end?.outcome === 'dead-lettered' ? (attempts.end.detail['deadLetter'] ?? null) : null,
    spanId: decided.spanId,
    detail: decided.detail,
    inferred,
  }
}

type Decided = 'outcome' | 'agentVersion' | 'instance' | 'steps' | 'errorCode' | 'errorMessage' | 'spanId' | 'detail'

/** What the fact says that ended the handling, or else the latest one. */
function decidedBy(fact: Fact | undefined, draft: HandlingDraft): Pick<FlowHandling, Decided> {
  if (fact !== undefined) {
    const { outcome, agentVersion, instance, steps, errorCode, errorMessage, spanId, detail } = fact
    return { outcome, agentVersion, instance, steps, errorCode, errorMessage, spanId, detail }
  }
  return {
    outcome: outcomeWithoutRun(draft),
    agentVersion: '',
    instance: '',
    steps: [],
    errorCode: null,
    errorMessage: null,
    spanId: null,
    detail: {},
  }
}

interface Attempts {
  /** The fact that ended the handling. */
  readonly end: Fact | undefined
  /** Of the facts that did not end it, the one of the latest attempt. */
  readonly last: Fact | undefined
  readonly failed: readonly Fact[]
  /** Facts of runs, in order of attempts. */
  readonly runs: readonly Fact[]
  readonly count: number
}

const RUN_OUTCOMES: ReadonlySet<FactOutcome> = new Set(['started', 'retried', 'suspended', ...ENDS])

function attemptsOf(draft: HandlingDraft): Attempts {
  const runs = draft.facts
    .filter((fact) => RUN_OUTCOMES.has(fact.outcome))
    .sort((a, b) => a.attempt - b.attempt || rankOf(a) - rankOf(b))
  let end: Fact | undefined
  for (const outcome of ENDS) end ??= runs.find((fact) => fact.outcome === outcome)
  // Redriven and failed again: the last one stands.
  if (end?.outcome === 'dead-lettered') end = runs.findLast((fact) => fact.outcome === 'dead-lettered')
  const last = runs.filter((fact) => !ENDS.includes(fact.outcome)).at(-1)
  // A redrive of a dead letter counts the attempt up.
  if (end?.outcome === 'dead-lettered' && last !== undefined && last.attempt > end.attempt) end = undefined
  const count = Math.max(0, ...runs.map((fact) => fact.attempt))
  return { end, last, failed: runs.filter((fact) => fact.outcome === 'retried'), runs, count }
}

/** Within one attempt: it starts, then it fails or is suspended, then it ends. */
function rankOf(fact: Fact): number {
  if (fact.outcome === 'started') return 0
  return ENDS.includes(fact.outcome) ? 2 : 1
}

function statusOf(draft: HandlingDraft, { end, last, runs }: Attempts, join: JoinState | null): FlowStatus {
  if (end !== undefined) return end.outcome === 'dead-lettered' && !runs.some(isReplaced) ? 'failed' : 'completed'
  if (last !== undefined) return last.outcome === 'suspended' ? 'waiting' : 'processing'
  const duplicate = draft.facts.find((fact) => fact.outcome === 'duplicate')
  if (duplicate !== undefined && join === null) return statusFound(duplicate.detail['found'])
  if (join === null) return 'pending'
  return join.missing.length > 0 ? 'waiting' : 'pending'
}

/** A person has put a corrected event in the place of the dead letter: the flow goes on with that one. */
function isReplaced({ outcome, detail }: Fact): boolean {
  return outcome === 'dead-lettered' && detail['action'] === 'replaced'
}

function outcomeWithoutRun(draft: HandlingDraft): FactOutcome | null {
  return (
    (['waiting', 'duplicate'] as const).find((outcome) => draft.facts.some((fact) => fact.outcome === outcome)) ?? null
  )
}

/** What the skipper of a duplicate found stored, when the fact of the end itself is missing. */
function statusFound(found: string | undefined): FlowStatus {
  if (found === 'dead') return 'failed'
  if (found === 'claimed') return 'processing'
  return found === 'handed' ? 'waiting' : 'completed'
}

function joinStateOf(
  draft: HandlingDraft,
  end: Fact | undefined,
  events: EventDrafts,
  subscriptions: Subscriptions,
): JoinState {
  const topics = subscriptions.of(draft.agent)?.topics ?? []
  const members = inputsOf(draft, end, events).flatMap((id) => events.byId.get(id) ?? [])
  const have = new Set(members.map((event) => event.topic))
  const times = members.flatMap((event) => recordedAt(event) ?? [])
  const late = draft.facts.filter((fact) => fact.outcome === 'late').flatMap((fact) => fact.inputs)
  return {
    topics,
    missing: end === undefined ? topics.filter((topic) => !have.has(topic)) : [],
    fired: end !== undefined || draft.outputs.size > 0,
    late: [...new Set(late.map((input) => input.eventId))].sort(),
    gatheredMs: times.length < 2 ? null : Math.max(...times) - Math.min(...times),
  }
}

/** The events that the end names, in its order; before the end, all that reached it. */
function inputsOf(draft: HandlingDraft, end: Fact | undefined, events: EventDrafts): readonly Uuid[] {
  if (end !== undefined) return end.inputs.map((input) => input.eventId)
  const hopOf = (id: Uuid): number => events.byId.get(id)?.hop ?? 0
  return [...draft.inputs].sort((a, b) => hopOf(a) - hopOf(b) || (a < b ? -1 : 1))
}

/** Clocks of different machines may disagree by more than the time between two things, so no duration is below zero. */
function timesOf(
  { end, runs }: Attempts,
  recordedAtMs: number | null,
): Pick<FlowHandling, 'startedAtMs' | 'endedAtMs' | 'waitedMs' | 'workedMs' | 'latencyMs'> {
  const startedAtMs = smallestOf(runs.map((fact) => fact.startedAtMs))
  const endedAtMs = end?.endedAtMs ?? null
  const since = (atMs: number | null): number | null =>
    atMs === null || recordedAtMs === null ? null : Math.max(0, atMs - recordedAtMs)
  const worked = runs.filter((fact) => fact.outcome !== 'started').map((fact) => fact.endedAtMs - fact.startedAtMs)
  const workedMs = worked.length === 0 ? null : worked.reduce((sum, ms) => sum + Math.max(0, ms), 0)
  return { startedAtMs, endedAtMs, waitedMs: since(startedAtMs), workedMs, latencyMs: since(endedAtMs) }
}

/** When the first record of an event was appended. */
export function recordedAt(event: EventDraft): number | null {
  return smallestOf(event.copies.map((copy) => copy.recordedAtMs))
}
