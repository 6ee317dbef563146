/** The start of an attempt: its span, its outputs, its context, and the call of the agent's function. */
import { runAttempt } from '../handle/attempt.ts'
import { backoffMs } from '../handle/backoff.ts'
import { OutputCollector } from '../handle/output-collector.ts'
import type { Slept } from '../journal/sleepers.ts'
import { StepSession } from '../journal/step-session.ts'
import type { Cancellation } from '../ports/cancellation.ts'
import type { ProcessSpan } from '../../tracing/event-tracer.ts'
import type { HandlingDeps } from './deps.ts'
import { AttemptContext } from './handler-context.ts'
import type { HandledValue } from './read-values.ts'
import type { BegunAttempt, Run } from './run.ts'
import type { Work } from './work.ts'

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
      const { name } = agent
      context = new AttemptContext({
        agent: name,
        work,
        attempt,
        deadlineAtMs,
        cancellation: own,
        collector,
        log,
        openSteps,
      })
      return agent.handle(value.event, context)
    },
  })
  // One that waits is measured where its end is awaited.
  if (!(result instanceof Promise)) deps.meter.ran(clock.nowMs() - startedAtMs)
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
