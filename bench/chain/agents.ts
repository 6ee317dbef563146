/** The agents of a benchmark. Topics of a benchmark have no generated types, hence the one cast. */
import { setTimeout as wait } from 'node:timers/promises'
import { defineAgent, type Agent } from '../../runtime/agent.ts'
import { CHAIN, forward, STAGES, type Paper } from './settings.ts'
import type { HandlerContext } from '../../runtime/context.ts'
import type { HandlerWork, Workload } from './workload.ts'

/** Claims of a run are of no use after it: Redis forgets them by itself. */
const DEDUP_MS = 600_000

type Context = Omit<HandlerContext, 'publish'> & { readonly publish: (topic: string, value: Paper) => string }

const WORK: Readonly<Record<HandlerWork, (event: Paper, context: Context) => unknown>> = {
  nothing: () => undefined,
  turn: () => undefined,
  step: (event, { step }) => step('ask', () => event.text),
  'durable step': (event, { step }) => step('ask', () => event.text, { durable: true }),
  effect: (event, { effect }) => effect('ask', () => event.text),
}

/** Handlers under way in this process, and the most that ever were. */
export const handlers = { now: 0, peak: 0 }

/** research, analysis, report, or those of them that the workload names. */
export function agentsOf(workload: Workload): readonly Agent[] {
  return workload.stages.map((index) => {
    const to = CHAIN[index + 1] ?? ''
    const definition = {
      name: STAGES[index],
      version: '1.0.0',
      consumes: CHAIN[index],
      produces: [to],
      dedupMs: DEDUP_MS,
      maxInFlight: workload.maxInFlight,
      handle:
        workload.waitMs === 0 && workload.does === 'nothing'
          ? (event: Paper, { publish }: Context) => void publish(to, forward(event))
          : async (event: Paper, context: Context) => {
              if (workload.waitMs > 0) await handlerWait(workload.waitMs)
              await WORK[workload.does](event, context)
              context.publish(to, forward(event))
            },
    }
    return defineAgent(definition as unknown as Parameters<typeof defineAgent>[0])
  })
}

/** What a handler does that asks a model: it waits. */
export async function handlerWait(waitMs: number): Promise<void> {
  handlers.peak = Math.max(handlers.peak, ++handlers.now)
  await wait(waitMs)
  handlers.now--
}
