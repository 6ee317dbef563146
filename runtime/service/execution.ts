/** Runs the agent for one handling: decode, accept, attempts with backoff. Decides how it ends; what follows is the settlement's. */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { FactStep } from '../../contracts/fact.ts'
import type { ProcessSpan } from '../../tracing/event-tracer.ts'
import { runAttempt, type AttemptResult } from '../handle/attempt.ts'
import { backoffMs } from '../handle/backoff.ts'
import { nextAttempt, type RetryTier } from '../retry/next-attempt.ts'
import { OutputCollector, type Output } from '../handle/output-collector.ts'
import type { HandlingJournal } from '../journal/handling-journal.ts'
import type { Slept } from '../journal/sleepers.ts'
import { StepSession } from '../journal/step-session.ts'
import type { Cancellation, CancelReason } from '../ports/cancellation.ts'
import { settledWithin, type Cancel } from '../ports/clock.ts'
import type { HandlingDeps } from './deps.ts'
import { factOf } from './fact-of.ts'
import { AttemptContext } from './handler-context.ts'
import type { Ownership } from './ownership.ts'
import { readValues, type HandledValue } from './read-values.ts'
import type { Work } from './work.ts'

/** An attempt whose function has been called. */
export interface BegunAttempt {
  readonly attempt: number
  readonly startedAtMs: number
  readonly span: ProcessSpan
  readonly collector: OutputCollector
  readonly cancellation: Cancellation
  readonly context: AttemptContext | undefined
  readonly result: AttemptResult | Promise<AttemptResult>
}

/** One execution: its work, its claim, and what ends it early. */
export interface Run {
  readonly work: Work
  readonly ownership: Ownership
  readonly journal: HandlingJournal
  readonly cancellation: Cancellation
  /** Waits between two attempts; cancelled by a drain, which never waits for it. */
  readonly rest: (waitMs: number) => Promise<void>
  /** Its first attempt, where that has begun already. */
  readonly begun?: BegunAttempt
}

/** The next attempt is made from a retry topic. */
export interface PostponedEnd extends RetryTier {
  readonly kind: 'postponed'
  readonly error: LabanError
  readonly attempt: number
  /** Attempts since the handling first ran or was redriven. */
  readonly tries: number
  readonly startedAtMs: number
  readonly span: ProcessSpan
  readonly steps: readonly FactStep[]
}

/** It sleeps: the next attempt is made when the sleep ends. */
export interface SuspendedEnd {
  readonly kind: 'suspended'
  readonly slept: Slept
  readonly attempt: number
  /** Attempts that failed since the handling first ran or was redriven. */
  readonly tries: number
  readonly startedAtMs: number
  readonly span: ProcessSpan
  readonly steps: readonly FactStep[]
}

/** How an execution ended. */
export type ExecutionEnd =
  | {
      readonly kind: 'completed'
      readonly outputs: readonly Output[]
      readonly attempt: number
      readonly span: ProcessSpan
      readonly startedAtMs: number
      readonly steps: readonly FactStep[]
    }
  | { readonly kind: 'rejected'; readonly topic: string; readonly startedAtMs: number }
  | {
      readonly kind: 'dead'
      readonly error: LabanError
      readonly attempt: number
      readonly startedAtMs: number
      readonly steps?: readonly FactStep[]
      /** False: the record itself is broken, and its successors do not wait for it. @default true */
      readonly parks?: boolean
    }
  | PostponedEnd
  | SuspendedEnd
  | { readonly kind: 'cancelled'; readonly reason: CancelReason; readonly settled: Promise<void> }

/** A handling that ends sooner costs no claim. */
const CLAIM_AFTER_MS = 30
/** A handling that ends sooner has no `started` fact. */
const STARTED_FACT_AFTER_MS = 2_000

/** Runs until success, rejection, a terminal failure, the last attempt, or cancellation. Rejects only with control errors and bugs. */
export async function execute(deps: HandlingDeps, run: Run): Promise<ExecutionEnd> {
  const { work, begun } = run
  if (begun !== undefined) return attempts(deps, run, begun)
  const startedAtMs = deps.clock.nowMs()
  let value: HandledValue
  try {
    value = await readValues(deps, work)
    const topic = refusedTopic(deps, value)
    if (topic !== undefined) return { kind: 'rejected', topic, startedAtMs }
  } catch (error) {
    if (isLabanError(error) && error.errorClass === 'terminal')
      return { kind: 'dead', error, attempt: firstAttempt(run), startedAtMs, parks: false }
    throw error
  }
  return attempts(deps, run, beginAttempt(deps, run, value, firstAttempt(run)))
}

/** A claim counts from its own attempt on; what is handed over knows of more. */
function firstAttempt({ work, ownership }: Run): number {
  return Math.max(ownership.attempt, (work.handover?.attempt ?? 0) + 1)
}

/** The first topic whose value the agent's `accepts` refuses. @throws LABAN_RULE_NOT_EVALUABLE */
export function refusedTopic(deps: HandlingDeps, value: HandledValue): string | undefined {
  for (const [topic, accepts] of deps.accepts) {
    if (value.byTopic.has(topic) && !accepts(value.byTopic.get(topic))) return topic
  }
  return undefined
}

async function attempts(deps: HandlingDeps, run: Run, first: BegunAttempt): Promise<ExecutionEnd> {
  const { agent, clock, log } = deps
  const { work, ownership, cancellation } = run
  let begun = first
  let hasRestarted = false
  for (let tried = 1; ; tried++) {
    const { span, startedAtMs, attempt } = begun
    begun.context?.attach(run.journal)
    const result = await endOf(deps, run, begun)
    const steps = begun.context?.steps?.facts ?? []
    if (result.kind === 'succeeded')
      return { kind: 'completed', outputs: result.outputs, attempt, span, startedAtMs, steps }
    if (result.kind === 'cancelled') {
      const slept = result.reason === 'suspended' ? begun.context?.steps?.suspendedFor : undefined
      if (slept === undefined) return result
      await settledWithin(result.settled, { clock, withinMs: agent.abortGraceMs, signal: deps.signal })
      const tries = (work.handover?.tries ?? 0) + tried - 1
      return { kind: 'suspended', slept, attempt, tries, startedAtMs, span, steps }
    }
    const { failure } = result
    if (failure.error.code === 'LABAN_STEP_MISMATCH' && agent.onStepMismatch === 'restart' && !hasRestarted) {
      hasRestarted = true
      log.warn('steps have changed; they run again', { ...work.ref, problem: failure.error.message })
      await run.journal.restart(clock.nowMs())
      await settledWithin(result.settled, { clock, withinMs: agent.abortGraceMs, signal: deps.signal })
      begun = beginAttempt(deps, run, await readValues(deps, work), attempt)
      continue
    }
    if (failure.kind === 'terminal') return { kind: 'dead', error: failure.error, attempt, startedAtMs, steps }
    const next = nextAttempt(agent.retry, {
      tried,
      earlier: work.handover,
      waitMs: Math.max(backoffMs(agent.retry, tried, clock), failure.retryAfterMs ?? 0),
      spentMs: clock.nowMs() - first.startedAtMs,
      isPinning: deps.isPinning?.(work.task) === true,
    })
    if (next === undefined)
      return { kind: 'dead', error: exhausted(attempt, failure.error), attempt, startedAtMs, steps }
    if ('tier' in next) {
      await settledWithin(result.settled, { clock, withinMs: agent.abortGraceMs, signal: deps.signal })
      const tries = (work.handover?.tries ?? 0) + tried
      return { kind: 'postponed', ...next, error: failure.error, attempt, tries, startedAtMs, span, steps }
    }
    const { waitMs } = next
    await deps.facts.append(
      factOf(deps, work, {
        outcome: 'retried',
        attempt,
        startedAtMs,
        error: failure.error,
        traceId: span.traceId,
        spanId: span.spanId,
        steps,
        detail: { retryInMs: String(Math.round(waitMs)) },
      }),
    )
    // From here on others must wait for us instead of starting a second run.
    if (deps.dedup) await ownership.claim()
    await settledWithin(result.settled, { clock, withinMs: agent.abortGraceMs, signal: deps.signal })
    await run.rest(waitMs)
    if (cancellation.reason !== undefined)
      return { kind: 'cancelled', reason: cancellation.reason, settled: result.settled }
    // Each attempt has a value of its own: the one before may have changed what it was given.
    begun = beginAttempt(deps, run, await readValues(deps, work), attempt + 1)
  }
}

/** Calls the agent's function. A function that is not asynchronous has ended when this returns. */
export function beginAttempt(
  deps: HandlingDeps,
  { work, cancellation }: Pick<Run, 'work' | 'cancellation'>,
  value: HandledValue,
  attempt: number,
): BegunAttempt {
  const { agent, clock, codec, contractOf, log } = deps
  const startedAtMs = clock.nowMs()
  const span = startSpan(deps, work, attempt)
  const collector = new OutputCollector({
    agent,
    flowId: work.ref.flowId,
    handlingId: work.ref.handlingId,
    hop: work.hop + 1,
    causes: work.causes,
    contractOf,
    codec,
    envelopes: deps.envelopes,
    nowMs: () => clock.nowMs(),
    span,
  })
  let context: AttemptContext | undefined
  const result = runAttempt({
    agent: agent.name,
    timeoutMs: agent.timeoutMs,
    clock,
    cancellation,
    span,
    collector,
    check: () => context?.steps?.check(),
    invoke: (own, deadlineAtMs) => {
      const openSteps = (): StepSession => stepsOf(deps, work, own)
      context = new AttemptContext({ work, attempt, deadlineAtMs, cancellation: own, collector, log, openSteps })
      return agent.handle(value.event, context)
    },
  })
  return { attempt, startedAtMs, span, collector, cancellation, context, result }
}

function stepsOf(deps: HandlingDeps, work: Work, cancellation: Cancellation): StepSession {
  const { agent, clock } = deps
  return new StepSession({
    agent: agent.name,
    originId: work.isJoin ? work.ref.handlingId : (work.task.envelope.originId ?? work.ref.handlingId),
    clock,
    cancellation,
    abortGraceMs: agent.abortGraceMs,
    backoffMs: (policy, tried) => backoffMs(policy, tried, clock),
    slept: sleptOf(work),
  })
}

/** The sleep that a woken handling comes from. */
function sleptOf({ handover }: Work): Slept | undefined {
  return handover?.slept === undefined ? undefined : { name: handover.slept, dueAtMs: handover.dueAtMs }
}

/** Waits for the end of an attempt; what was not a success ends its spans here. */
async function endOf(deps: HandlingDeps, run: Run, begun: BegunAttempt): Promise<AttemptResult> {
  const { span, collector, context, attempt } = begun
  let { result } = begun
  if (result instanceof Promise) {
    const stopTimers = watchLongRun(deps, run, attempt, span)
    result = await result
    stopTimers()
  }
  if (result.kind !== 'succeeded') {
    const error: unknown = result.kind === 'failed' ? result.failure.error : undefined
    collector.discard(error)
    context?.steps?.close()
    span.end(result.kind, error)
  }
  return result
}

/** After a while the handling is claimed; after a longer one it says that it has started. */
function watchLongRun(deps: HandlingDeps, { work, ownership }: Run, attempt: number, span: ProcessSpan): Cancel {
  if (!deps.dedup) return () => undefined
  const startedAtMs = deps.clock.nowMs()
  let cancel = deps.clock.after(CLAIM_AFTER_MS, () => {
    void ownership.claim()
    cancel = deps.clock.after(STARTED_FACT_AFTER_MS - CLAIM_AFTER_MS, () => {
      const ids = { traceId: span.traceId, spanId: span.spanId }
      deps.facts
        .append(factOf(deps, work, { outcome: 'started', attempt, startedAtMs, ...ids }))
        .catch((error: unknown) => {
          deps.log.debug('started fact not written', { error })
        })
    })
  })
  return () => cancel()
}

function startSpan(deps: HandlingDeps, work: Work, attempt: number): ProcessSpan {
  const { task } = work
  return deps.tracer.startProcess({
    agent: deps.agent.name,
    group: deps.group,
    instance: deps.instance,
    topic: task.topic,
    partition: task.partition,
    offset: task.offset,
    key: task.keyText,
    envelope: task.envelope,
    attempt,
    ...(work.isJoin ? { members: work.parts.slice(0, -1).map((part) => part.envelope) } : {}),
  })
}

function exhausted(attempts: number, last: LabanError): LabanError {
  if (attempts === 1) return last
  return new LabanError('LABAN_ATTEMPTS_EXHAUSTED', { attempts, problem: last.message }, { cause: last.cause ?? last })
}
