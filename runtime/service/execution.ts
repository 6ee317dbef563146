/** Runs the agent for one handling: decode, accept, attempts with backoff. Decides how it ends; what follows is the settlement's. */
import { isLabanError } from '../../contracts/errors.ts'
import { hasMarkedFields } from '../../contracts/mask-value.ts'
import { personalTexts } from '../../contracts/personal-values.ts'
import type { ProcessSpan } from '../../tracing/event-tracer.ts'
import type { AttemptResult } from '../handle/attempt.ts'
import type { Failure } from '../handle/classify.ts'
import { hidePersonal } from '../handle/hide-personal.ts'
import type { Cancel } from '../ports/clock.ts'
import { afterFailure, suspension, untilEnded, type EndedAttempt } from './after-failure.ts'
import { beginAttempt } from './begin-attempt.ts'
import type { HandlingDeps } from './deps.ts'
import { factOf } from './fact-of.ts'
import { readValues, type HandledValue } from './read-values.ts'
import type { BegunAttempt, ExecutionEnd, Run } from './run.ts'

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
  const { work } = run
  let begun = first
  let hasRestarted = false
  for (let tried = 1; ; tried++) {
    const { span, startedAtMs, attempt } = begun
    begun.context?.attach(run.journal)
    const result = await endOf(deps, run, begun)
    const steps = begun.context?.steps?.facts ?? []
    if (result.kind === 'succeeded')
      return { kind: 'completed', outputs: result.outputs, attempt, span, startedAtMs, steps }
    const ended: EndedAttempt = { begun, steps, tried, sinceMs: first.startedAtMs, settled: result.settled }
    if (result.kind === 'cancelled')
      return (result.reason === 'suspended' ? await suspension(deps, run, ended) : undefined) ?? result
    const restarts = !hasRestarted && mustRestart(deps, result.failure)
    if (restarts) {
      hasRestarted = true
      deps.log.warn('steps have changed; they run again', { ...work.ref, problem: result.failure.error.message })
      await run.journal.restart(deps.clock.nowMs())
      await untilEnded(deps, result.settled)
    } else {
      const end = await afterFailure(deps, run, ended, result.failure)
      if (end !== undefined) return end
    }
    // Each attempt has a value of its own: the one before may have changed what it was given.
    begun = beginAttempt(deps, run, await readValues(deps, work), restarts ? attempt : attempt + 1)
  }
}

/** The recorded steps are of another sequence, and the agent wants them run again. */
function mustRestart({ agent }: HandlingDeps, { error }: Failure): boolean {
  return error.code === 'LABAN_STEP_MISMATCH' && agent.onStepMismatch === 'restart'
}

/** Waits for the end of an attempt; what was not a success ends its spans here. */
async function endOf(deps: HandlingDeps, run: Run, begun: BegunAttempt): Promise<AttemptResult> {
  const { span, collector, context, attempt } = begun
  let { result } = begun
  if (result instanceof Promise) {
    const stopTimers = watchLongRun(deps, run, attempt, span)
    result = await result
    deps.meter.ran(deps.clock.nowMs() - begun.startedAtMs)
    stopTimers()
  }
  if (result.kind === 'failed') result = await withoutPersonal(deps, run, result)
  if (result.kind !== 'succeeded') {
    const error: unknown = result.kind === 'failed' ? result.failure.error : undefined
    collector.discard(error)
    context?.steps?.close()
    span.end(result.kind, error)
  }
  return result
}

/** The values are read anew: the handler may have changed those that it was given. */
async function withoutPersonal<R extends { readonly failure: Failure }>(
  deps: HandlingDeps,
  { work }: Run,
  result: R,
): Promise<R> {
  const marked = work.parts.filter(({ topic }) => hasMarkedFields(deps.contractOf(topic).schema))
  if (marked.length === 0) return result
  const { byTopic } = await readValues(deps, work)
  const texts = marked.flatMap(({ topic }) => personalTexts(deps.contractOf(topic).schema, byTopic.get(topic)))
  const { failure } = result
  return { ...result, failure: { ...failure, error: hidePersonal(failure.error, texts) } }
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
