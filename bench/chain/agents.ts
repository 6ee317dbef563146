/** The three agents of the chain. Topics of a benchmark have no generated types, hence the one cast. */
import { defineAgent, type Agent } from '../../runtime/agent.ts'
import type { HandlerContext } from '../../runtime/context.ts'
import { CHAIN, forward, STAGES, type Paper } from './settings.ts'

/** research, analysis, report. */
export const chainAgents: readonly Agent[] = STAGES.map((name, index) => {
  const to = CHAIN[index + 1] ?? ''
  const definition = {
    name,
    version: '1.0.0',
    consumes: CHAIN[index],
    produces: [to],
    handle: (event: Paper, { publish }: { publish: (topic: string, value: Paper) => string }) =>
      void publish(to, forward(event)),
  }
  return defineAgent(definition as unknown as Parameters<typeof defineAgent>[0])
})

export type BenchContext = HandlerContext
