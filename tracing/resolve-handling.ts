/** Turns the facts of one handling into what happened: its status, attempts and times. */
import type { Fact, FactInput, FactOutcome } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import { recordedAt, type EventDrafts } from './event-drafts.ts'
import { largestOf, smallestOf } from './extremes.ts'
import type { EventDraft, HandlingDraft } from './flow-drafts.ts'
import type { FailedAttempt, FlowHandling, FlowStatus, JoinState } from './flow-graph.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What ends a handling, the strongest first: a dead letter that was redriven and then completed has completed. */
const ENDS: readonly FactOutcome[] = ['compensated', 'cancelled', 'completed', 'rejected', 'dead-lettered']

/** True when nothing more is to come from a handling with this status. */
export function hasEnded(status: FlowStatus): boolean {
  return status === 'completed' || status === 'failed'
}

/** See the file's head. `stuck` is not decided here: it depends on all handlings together. */
export function resolveHandling(draft: HandlingDraft, events: EventDrafts, subscriptions: Subscriptions): FlowHandling {
  const attempts = attemptsOf(draft.facts)
  const { end } = attempts
  const decided = decidedBy(end ?? attempts.last, draft)
  const inputs = inputsOf(draft, end, events)
  const outputs = outputsOf(draft)
  const inferred = end === undefined && outputs.length > 0
  const join = draft.isJoin
    ? joinStateOf(draft.facts, inputs, {
        topics: subscriptions.of(draft.agent)?.topics ?? [],
        isOver: end !== undefined,
        fired: end !== undefined || inferred,
      })
    : null
  const times = timesOf(attempts, lastRecord(inputs))
  draft.inputs = inputs
  return {
    key: draft.key,
    agent: draft.agent,
    handlingId: draft.of.id,
    status: inferred ? 'completed' : statusOf(draft, attempts, join),
    outcome: decided.outcome,
    agentVersion: decided.agentVersion,
    instance: decided.instance,
    inputs: inputs.map(idOf),
    outputs,
    join,
    hop: largestHop(inputs),
    steps: decided.steps,
    attempts: attempts.count,
    failedAttempts: attempts.failed.map(failedAttempt),
    duplicatesSkipped: countOf(draft.facts, 'duplicate'),
    startedAtMs: times.startedAtMs,
    endedAtMs: times.endedAtMs,
    waitedMs: times.waitedMs,
    workedMs: times.workedMs,
    latencyMs: times.latencyMs,
    errorCode: decided.errorCode,
    errorMessage: decided.errorMessage,
    deadLetter: end?.outcome === 'dead-lettered' ? (end.detail['deadLetter'] ?? null) : null,
    spanId: decided.spanId,
    detail: decided.detail,
    inferred,
  }
}

function idOf({ id }: EventDraft): Uuid {
  return id
}

function failedAttempt({ attempt, endedAtMs, errorCode, errorMessage }: Fact): FailedAttempt {
  return { attempt, endedAtMs, errorCode, errorMessage }
}

function countOf(facts: readonly Fact[], outcome: FactOutcome): number {
  let count = 0
  for (const fact of facts) if (fact.outcome === outcome) count++
  return count
}

function largestHop(events: readonly EventDraft[]): number | null {
  let largest: number | null = null
  for (const { hop } of events) if (hop !== null && (largest === null || hop > largest)) largest = hop
  return largest
}

/** When the last of some events was appended. */
function lastRecord(events: readonly EventDraft[]): number | null {
  let last: number | null = null
  for (const event of events) {
    const atMs = recordedAt(event)
    if (atMs !== null && (last === null || atMs > last)) last = atMs
  }
  return last
}

type Decided = Pick<
  FlowHandling,
  'outcome' | 'agentVersion' | 'instance' | 'steps' | 'errorCode' | 'errorMessage' | 'spanId' | 'detail'
>

/** What the fact says that ended the handling, or else the latest one. */
function decidedBy(fact: Fact | undefined, draft: HandlingDraft): Decided {
  if (fact !== undefined) return fact
  return {
    outcome: outcomeWithoutRun(draft),
    agentVersion: '',
    instance: '',
    steps: NONE,
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
const NONE: readonly never[] = []
const NOT_RUN: Attempts = { end: undefined, last: undefined, failed: NONE, runs: NONE, count: 0 }

function attemptsOf(facts: readonly Fact[]): Attempts {
  const [only] = facts
  if (only === undefined) return NOT_RUN
  if (facts.length === 1) return attemptOf(only, facts)
  const runs = facts
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

/** Most handlings have one fact, which needs no list to be sorted. */
function attemptOf(fact: Fact, facts: readonly Fact[]): Attempts {
  const { outcome } = fact
  if (!RUN_OUTCOMES.has(outcome)) return NOT_RUN
  const count = Math.max(0, fact.attempt)
  if (ENDS.includes(outcome)) return { end: fact, last: undefined, failed: NONE, runs: facts, count }
  return { end: undefined, last: fact, failed: outcome === 'retried' ? facts : NONE, runs: facts, count }
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
  facts: readonly Fact[],
  members: readonly EventDraft[],
  { topics, isOver, fired }: Pick<JoinState, 'topics' | 'fired'> & { readonly isOver: boolean },
): JoinState {
  const have = new Set(members.map((event) => event.topic))
  const times = members.flatMap((event) => recordedAt(event) ?? [])
  const late = facts.filter((fact) => fact.outcome === 'late').flatMap((fact) => fact.inputs)
  return {
    topics,
    missing: isOver ? [] : topics.filter((topic) => !have.has(topic)),
    fired,
    late: [...new Set(late.map((input) => input.eventId))].sort(),
    gatheredMs: times.length < 2 ? null : (largestOf(times) ?? 0) - (smallestOf(times) ?? 0),
  }
}

/** The events that the end names, in its order; before the end, all that reached it. */
function inputsOf(draft: HandlingDraft, end: Fact | undefined, events: EventDrafts): readonly EventDraft[] {
  const draftOf = ({ eventId }: FactInput): EventDraft => (eventId === draft.of.id ? draft.of : events.at(eventId))
  if (end !== undefined) return end.inputs.map(draftOf)
  const reached = new Set(draft.reachedBy)
  for (const fact of draft.facts)
    if (fact.outcome !== 'late') for (const input of fact.inputs) reached.add(draftOf(input))
  return reached.size < 2
    ? [...reached]
    : [...reached].sort((a, b) => (a.hop ?? 0) - (b.hop ?? 0) || (a.id < b.id ? -1 : 1))
}

/** Ids of all that it published, sorted. */
function outputsOf({ facts, claimedBy }: HandlingDraft): readonly Uuid[] {
  const ids = claimedBy.map(idOf)
  for (const { outputs } of facts) for (const { eventId } of outputs) ids.push(eventId)
  return ids.length < 2 ? ids : [...new Set(ids)].sort()
}

type Times = Pick<FlowHandling, 'startedAtMs' | 'endedAtMs' | 'waitedMs' | 'workedMs' | 'latencyMs'>

/** Clocks of different machines may disagree by more than the time between two things, so no duration is below zero. */
function timesOf({ end, runs }: Attempts, recordedAtMs: number | null): Times {
  let startedAtMs: number | null = null
  let workedMs: number | null = null
  for (const fact of runs) {
    if (startedAtMs === null || fact.startedAtMs < startedAtMs) startedAtMs = fact.startedAtMs
    if (fact.outcome !== 'started') workedMs = (workedMs ?? 0) + Math.max(0, fact.endedAtMs - fact.startedAtMs)
  }
  const endedAtMs = end?.endedAtMs ?? null
  return {
    startedAtMs,
    endedAtMs,
    waitedMs: since(startedAtMs, recordedAtMs),
    workedMs,
    latencyMs: since(endedAtMs, recordedAtMs),
  }
}

function since(atMs: number | null, fromMs: number | null): number | null {
  return atMs === null || fromMs === null ? null : Math.max(0, atMs - fromMs)
}
