/**
 * Agents as a simulation runs them: handlers take time, some much of it, some fail when a fault says so, and what they do is watched.
 * The agents themselves are not changed, and what they return is returned.
 */
import type { Agent } from '../../agent.ts'
import type { HandlerContext } from '../../context.ts'
import { delay, type Clock } from '../../ports/clock.ts'
import type { RunEffect, RunStep } from '../../steps.ts'
import type { PastCall } from '../invariants/history.ts'
import type { Honesty } from './honesty.ts'
import type { Life } from './life.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'
import type { Witness } from './witness.ts'

/** What all handlers of a run share. */
export interface HandlerHost {
  readonly random: Random
  readonly trace: Trace
  readonly honesty: Honesty
  readonly witness: Witness
  readonly clockOf: (life: Life) => Clock
  /** Milliseconds that a fault adds to the next handling; 0 mostly. */
  readonly takeSlowMs: () => number
  /** Whether a fault makes the next handling fail. */
  readonly takeFailure: () => boolean
  /** How long a handling takes, ms. */
  readonly drawMs: (random: Random) => number
  readonly onActivity: () => void
}

/** Handlers that end at once, that take a moment, and that outlast the time after which they are claimed (30 ms). */
const INSTANT_SHARE = 0.55
const SHORT_MS = 20
const LONG_MS = 3_000
const LONG_SHARE = 0.15

/** The same agents, watched. */
export function simulatedAgents(agents: readonly Agent[], life: Life, host: HandlerHost): readonly Agent[] {
  return agents.map((agent) => ({ ...agent, handle: simulatedHandler(agent, life, host) }))
}

function simulatedHandler(agent: Agent, life: Life, host: HandlerHost): Agent['handle'] {
  const { random, trace, honesty, witness } = host
  const clock = host.clockOf(life)
  const run = (event: unknown, context: HandlerContext): void | Promise<void> =>
    honesty.watch({ agent: agent.name, clock }, () =>
      agent.handle(event, simulatedContext(context, { agent, life, host, clock })),
    )
  return (event, context) => {
    host.onActivity()
    witness.ran(agent, life, context)
    trace.note(`${life.name} ${agent.name} handles ${context.eventId} attempt ${context.attempt}`)
    const slowMs = host.takeSlowMs()
    const fails = host.takeFailure()
    const tookMs = slowMs > 0 ? slowMs : host.drawMs(random)
    if (tookMs === 0 && !fails) return run(event, context)
    const handle = async (): Promise<void> => {
      await delay(clock, tookMs / 2, context.signal)
      await run(event, context)
      await delay(clock, tookMs / 2, context.signal)
      host.onActivity()
      if (fails) throw new TypeError('simulated failure of a handler')
    }
    return handle()
  }
}

/** The same context; functions of steps take time, and are seen. Made from a getter each: a context makes what is asked for. */
function simulatedContext(
  context: HandlerContext,
  { agent, life, host, clock }: { agent: Agent; life: Life; host: HandlerHost; clock: Clock },
): HandlerContext {
  const { witness, trace, random, drawMs } = host
  const begin = async (what: Pick<PastCall, 'kind' | 'name' | 'key'>, signal: AbortSignal): Promise<void> => {
    host.onActivity()
    witness.called(agent, life, context, what)
    trace.note(`${life.name} ${agent.name} runs ${what.kind} ${what.name} of ${context.eventId}`)
    await delay(clock, drawMs(random), signal)
  }
  const step: RunStep = (name, fn, options) =>
    context.step(
      name,
      async (call) => {
        await begin({ kind: 'step', name, key: null }, call.signal)
        return fn(call)
      },
      options,
    )
  const effect: RunEffect = (name, fn, options) =>
    context.effect(
      name,
      async (key, call) => {
        await begin({ kind: 'effect', name, key }, call.signal)
        return fn(key, call)
      },
      options,
    )
  return Object.create(context, {
    step: { value: step },
    effect: { value: effect },
    sleep: { get: () => context.sleep },
    signal: { get: () => context.signal },
    log: { get: () => context.log },
  }) as HandlerContext
}

/** How long handlers take when nothing else is said: most no time, some a moment, a few seconds. */
export function usualHandlerMs(random: Random): number {
  if (random.chance(INSTANT_SHARE)) return 0
  return random.chance(LONG_SHARE) ? random.between(SHORT_MS, LONG_MS) : random.between(1, SHORT_MS)
}
