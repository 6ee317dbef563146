/** What follows an attempt without a result: another one, here or from a retry topic, a sleep, or the end of the handling. */
import { LabanError } from '../../contracts/errors.ts'
import type { FactStep } from '../../contracts/fact.ts'
import { backoffMs } from '../handle/backoff.ts'
import type { Failure } from '../handle/classify.ts'
import { settledWithin } from '../ports/clock.ts'
import { nextAttempt } from '../retry/next-attempt.ts'
import type { HandlingDeps } from './deps.ts'
import { factOf } from './fact-of.ts'
import type { BegunAttempt, ExecutionEnd, Run, SuspendedEnd } from './run.ts'

/** An attempt without a result. */
export interface EndedAttempt {
  readonly begun: BegunAttempt
  readonly steps: readonly FactStep[]
  /** Attempts of this run, this one included. */
  readonly tried: number
  /** When the first attempt of this run began. */
  readonly sinceMs: number
  /** Resolves when the agent's function has ended. */
  readonly settled: Promise<void>
}

/** Gives the agent's function some time to end: the next one must not overlap with it. */
export async function untilEnded({ agent, clock, signal }: HandlingDeps, settled: Promise<void>): Promise<void> {
  await settledWithin(settled, { clock, withinMs: agent.abortGraceMs, signal })
}

/** The handling sleeps, where that is why the attempt was cancelled. */
export async function suspension(
  deps: HandlingDeps,
  { work }: Run,
  { begun, steps, tried, settled }: EndedAttempt,
): Promise<SuspendedEnd | undefined> {
  const slept = begun.context?.steps?.suspendedFor
  if (slept === undefined) return undefined
  await untilEnded(deps, settled)
  const tries = (work.handover?.tries ?? 0) + tried - 1
  const { attempt, startedAtMs, span } = begun
  return { kind: 'suspended', slept, attempt, tries, startedAtMs, span, steps }
}

/** How the run ends; undefined when it goes on with another attempt, for which it has waited. */
export async function afterFailure(
  deps: HandlingDeps,
  run: Run,
  ended: EndedAttempt,
  failure: Failure,
): Promise<ExecutionEnd | undefined> {
  const { agent, clock } = deps
  const { work } = run
  const { begun, steps, tried, settled } = ended
  const { attempt, startedAtMs, span } = begun
  if (failure.kind === 'terminal') return { kind: 'dead', error: failure.error, attempt, startedAtMs, steps }
  const next = nextAttempt(agent.retry, {
    tried,
    earlier: work.handover,
    waitMs: Math.max(backoffMs(agent.retry, tried, clock), failure.retryAfterMs ?? 0),
    spentMs: clock.nowMs() - ended.sinceMs,
    isPinning: deps.isPinning?.(work.task) === true,
  })
  if (next === undefined) return { kind: 'dead', error: exhausted(attempt, failure.error), attempt, startedAtMs, steps }
  if ('waitMs' in next) return restInLane(deps, run, ended, { waitMs: next.waitMs, error: failure.error })
  await untilEnded(deps, settled)
  const tries = (work.handover?.tries ?? 0) + tried
  return { kind: 'postponed', ...next, error: failure.error, attempt, tries, startedAtMs, span, steps }
}

/** Says that the attempt failed and waits for the next; undefined when that may begin. */
async function restInLane(
  deps: HandlingDeps,
  { work, ownership, cancellation, rest }: Run,
  { begun, steps, settled }: EndedAttempt,
  { waitMs, error }: { readonly waitMs: number; readonly error: LabanError },
): Promise<ExecutionEnd | undefined> {
  const { attempt, startedAtMs, span } = begun
  const { traceId, spanId } = span
  const detail = { retryInMs: String(Math.round(waitMs)) }
  await deps.facts.append(
    factOf(deps, work, { outcome: 'retried', attempt, startedAtMs, error, traceId, spanId, steps, detail }),
  )
  // From here on others must wait for us instead of starting a second run.
  if (deps.dedup) await ownership.claim()
  await untilEnded(deps, settled)
  await rest(waitMs)
  const { reason } = cancellation
  return reason === undefined ? undefined : { kind: 'cancelled', reason, settled }
}

function exhausted(attempts: number, last: LabanError): LabanError {
  if (attempts === 1) return last
  return new LabanError('LABAN_ATTEMPTS_EXHAUSTED', { attempts, problem: last.message }, { cause: last.cause ?? last })
}
