/** The verdict on a handling that has not ended: who has it, or what it waits for. */
import { durationText } from '../duration-text.ts'
import type { FlowHandling } from '../flow-graph.ts'
import { joinVerdict } from './join.ts'
import { agentVerdict, partialVerdict } from './life.ts'
import type { ClaimSeen, StepSeen } from './observations.ts'
import { behindVerdict, queueVerdict } from './queue.ts'
import { verdictOf, type Evidence, type Verdict, type VerdictSubject } from './verdict.ts'
import { agoText, countText, evidence, eventEvidence, lifeEvidence, timeText } from './wording.ts'
import type { World } from './world.ts'

/** A moment that was named has passed by so much before anybody is blamed. */
const GRACE_MS = 2_000
/** A handler is called slow from here on, when it also takes ten times as long as its agent's slowest usual one. */
const SLOW_FROM_MS = 5_000
const SLOW_FACTOR = 10

/** See the file's head. `path` holds the keys of handlings whose verdict is being made: a join of a join must end. */
export function openVerdict(world: World, handling: FlowHandling, path: readonly string[] = []): Verdict {
  const { agent, join } = handling
  const held = ownedVerdict(world, handling)
  if (held !== undefined) return held
  if (join !== null && !join.fired && join.missing.length > 0) return joinVerdict(world, handling, path, openVerdict)
  const asleep = sleepVerdict(world, handling)
  if (asleep !== undefined) return asleep
  const blocked = agentVerdict(world, agent)
  if (blocked !== undefined) return withHandling(world, blocked, handling)
  if (world.observed(handling).claim?.state === 'done') return settling(world, handling)
  return waitingVerdict(world, handling) ?? settling(world, handling)
}

/** Nobody has it, and its agent works. */
function waitingVerdict(world: World, handling: FlowHandling): Verdict | undefined {
  return (
    retryVerdict(world, handling) ??
    behindVerdict(world, handling) ??
    partialOf(world, handling) ??
    queueVerdict(world, handling)
  )
}

/** Somebody has it, by the store or, where that was not asked, by the fact that it has begun. */
function ownedVerdict(world: World, handling: FlowHandling): Verdict | undefined {
  const { claim } = world.observed(handling)
  if (claim?.state === 'claimed' || claim?.state === 'computed') return heldVerdict(world, handling, claim)
  if (claim !== null || handling.outcome !== 'started' || world.seen.store.state === 'away') return undefined
  return heldVerdict(world, handling, { state: 'claimed', owner: handling.instance, attempt: handling.attempts })
}

/** What the whole agent suffers from, told with the handling that shows it. */
function withHandling(world: World, verdict: Verdict, handling: FlowHandling): Verdict {
  const event = world.inputOf(handling)
  const seen = world.partition(handling.agent, event?.position)
  const lag =
    seen === undefined ? undefined : seen.endOffset - (seen.committed ?? seen.startOffset) - seen.finishedAbove
  return {
    ...verdict,
    evidence: [
      ...verdict.evidence,
      ...(event === undefined ? [] : [eventEvidence(event, world.seen.nowMs)]),
      ...(lag === undefined || lag <= 0
        ? []
        : [evidence('lag', `${countText(lag, 'record')} of ${event?.topic ?? ''}`, `group ${handling.agent}`)]),
      ...failedAttempt(handling, world.seen.nowMs),
    ],
  }
}

function partialOf(world: World, handling: FlowHandling): Verdict | undefined {
  const recordedAtMs = recordedAt(world, handling)
  if (recordedAtMs !== null && world.seen.nowMs - recordedAtMs < GRACE_MS) return undefined
  const verdict = partialVerdict(world, handling.agent)
  return verdict === undefined ? undefined : withHandling(world, verdict, handling)
}

/** Somebody has claimed it. Undefined when nobody in particular has: it was released, and waits like any other. */
function heldVerdict(
  world: World,
  handling: FlowHandling,
  claim: Extract<ClaimSeen, { readonly owner: string }>,
): Verdict | undefined {
  const { owner, attempt } = claim
  if (owner === '') return undefined
  const { nowMs } = world.seen
  const instance = world.process(owner)
  const held = evidence('claim', `${claim.state} by ${owner}, attempt ${attempt}`, 'store')
  if (instance !== undefined && instance.life !== 'alive') {
    const others = world.alive(handling.agent)
    if (others.length === 0) {
      const dead = agentVerdict(world, handling.agent)
      return dead === undefined
        ? undefined
        : withHandling(world, { ...dead, evidence: [...dead.evidence, held] }, handling)
    }
    const leftMs = instance.leaseLeftMs ?? 0
    return verdictOf({
      code: 'lease-expired',
      subject: subjectOf(world, handling),
      sentence:
        `${owner} holds attempt ${attempt} of ${handling.agent} and has not renewed its lease` +
        `${instance.renewedAgoMs === null ? '' : ` for ${durationText(instance.renewedAgoMs)}`}; ` +
        `another instance takes over ${leftMs > 0 ? `after ${timeText(nowMs + leftMs)}, in ${durationText(leftMs)}` : 'now'}`,
      evidence: [held, lifeEvidence(instance, nowMs), ...others.slice(0, 2).map((other) => lifeEvidence(other, nowMs))],
      next: 'laban agents',
      sinceMs: handling.startedAtMs,
    })
  }
  const waits = retryVerdict(world, handling)
  if (waits !== undefined) return waits
  if (claim.state === 'computed' || instance?.problems['registry'] !== undefined) {
    const partial = partialVerdict(world, handling.agent)
    if (partial !== undefined) return withHandling(world, partial, handling)
  }
  return runningVerdict(world, handling, [held, ...(instance === undefined ? [] : [lifeEvidence(instance, nowMs)])])
}

function runningVerdict(world: World, handling: FlowHandling, shown: readonly Evidence[]): Verdict {
  const { nowMs } = world.seen
  const { agent } = handling
  const steps = world.observed(handling).steps
  const last = handling.failedAttempts.at(-1)
  const beganAtMs = last === undefined ? (handling.startedAtMs ?? recordedAt(world, handling)) : last.endedAtMs
  const runsForMs = beganAtMs === null ? null : Math.max(0, nowMs - beganAtMs)
  const usual = world.agent(agent)?.usual ?? null
  const limitMs = usual === null ? Infinity : Math.max(SLOW_FROM_MS, SLOW_FACTOR * usual.p99Ms)
  const isSlow = runsForMs !== null && runsForMs > limitMs
  const since = runsForMs === null ? '' : ` for ${durationText(runsForMs)}`
  const usually = usual === null ? '' : `, usually ${durationText(usual.p99Ms)} at most`
  const step = stepText(steps, nowMs)
  const all = [
    ...shown,
    ...(step === '' ? [] : [evidence('step', step, 'journal')]),
    ...(usual === null
      ? []
      : [
          evidence(
            'usual',
            `p50 ${durationText(usual.p50Ms)}, p99 ${durationText(usual.p99Ms)} of ${usual.count}`,
            'laban.facts',
          ),
        ]),
    ...failedAttempt(handling, nowMs),
  ]
  return verdictOf({
    code: isSlow ? 'slow' : 'running',
    subject: subjectOf(world, handling),
    sentence: `${agent} is running${since}${step === '' ? '' : `, ${step}`}${isSlow ? usually : ''}`,
    evidence: all,
    next: isSlow ? `laban flow ${world.graph.flowId}` : null,
    sinceMs: beganAtMs,
  })
}

function stepText(steps: readonly StepSeen[], nowMs: number): string {
  const open = steps.findLast(({ hasEnded }) => !hasEnded)
  if (open !== undefined) return `in ${open.name} since ${durationText(Math.max(0, nowMs - open.begunAtMs))}`
  const last = steps.toSorted((a, b) => a.begunAtMs - b.begunAtMs).at(-1)
  return last === undefined
    ? ''
    : `after step ${last.name}, which ended ${agoText(last.begunAtMs + last.durationMs, nowMs)}`
}

function sleepVerdict(world: World, handling: FlowHandling): Verdict | undefined {
  const { sleep, until } = handling.detail
  if (handling.outcome !== 'suspended' || sleep === undefined) return undefined
  const untilMs = Date.parse(until ?? '')
  const { nowMs } = world.seen
  if (Number.isNaN(untilMs) || nowMs > untilMs + GRACE_MS) return undefined
  return verdictOf({
    code: 'suspended',
    subject: subjectOf(world, handling),
    sentence: `${handling.agent} sleeps in ${sleep} until ${new Date(untilMs).toISOString()}, ${agoText(untilMs, nowMs)}`,
    evidence: [evidence('sleep', `${sleep} until ${until ?? ''}`, 'laban.facts')],
    sinceMs: handling.startedAtMs,
  })
}

/** It failed and has another attempt before it. Undefined when that should have begun long ago, or has. */
function retryVerdict(world: World, handling: FlowHandling): Verdict | undefined {
  const last = handling.failedAttempts.at(-1)
  if (last === undefined || handling.outcome !== 'retried') return undefined
  const { nowMs } = world.seen
  const { dueAt, retryInMs, retryTopic } = handling.detail
  const dueMs = dueAt === undefined ? last.endedAtMs + Number(retryInMs ?? 0) : Date.parse(dueAt)
  if (nowMs > dueMs + GRACE_MS) return undefined
  const where = retryTopic === undefined ? 'in its lane' : `from ${retryTopic}`
  return verdictOf({
    code: 'retrying',
    subject: subjectOf(world, handling),
    sentence: `Attempt ${last.attempt} of ${handling.agent} failed; the next comes ${agoText(Math.max(dueMs, nowMs), nowMs)} ${where}: ${short(last.errorMessage ?? last.errorCode ?? '')}`,
    evidence: [
      evidence('next attempt', `${last.attempt + 1} at ${timeText(dueMs)} ${where}`, 'laban.facts'),
      ...failedAttempt(handling, nowMs),
    ],
    next: `laban flow ${world.graph.flowId}`,
    sinceMs: handling.startedAtMs,
  })
}

/** Its end has been decided, and is about to be told. */
function settling(world: World, handling: FlowHandling): Verdict {
  return verdictOf({
    code: 'settling',
    subject: subjectOf(world, handling),
    sentence: `${handling.agent} has ended; its fact is about to be read`,
    sinceMs: handling.startedAtMs,
  })
}

function failedAttempt({ failedAttempts }: FlowHandling, nowMs: number): readonly Evidence[] {
  const last = failedAttempts.at(-1)
  if (last === undefined) return []
  const value = `attempt ${last.attempt} failed ${agoText(last.endedAtMs, nowMs)}: ${last.errorCode ?? ''} ${short(last.errorMessage ?? '')}`
  return [evidence('error', value, 'laban.facts')]
}

const LONGEST_ERROR = 160

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > LONGEST_ERROR ? `${line.slice(0, LONGEST_ERROR)}…` : line
}

function recordedAt(world: World, handling: FlowHandling): number | null {
  const event = world.inputOf(handling)
  return event === undefined ? null : world.recordedAt(event)
}

/** Flow, agent, event and topic of a handling. */
function subjectOf(world: World, handling: FlowHandling): VerdictSubject {
  const event = world.inputOf(handling)
  const found = event === undefined ? {} : { eventId: event.id, topic: event.topic }
  return { flowId: world.graph.flowId, agent: handling.agent, ...found }
}
