/** The agent of the trials of long handlers: waits as long as its event says, and says so before to a file that all processes append to. */
import { appendFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { createContractSet, type ContractSet } from '../../contracts/contract-set.ts'
import { defineAgent, type Agent } from '../../runtime/agent.ts'

export const ASKED = 'long.asked'
export const ANSWERED = 'long.answered'
export const LONG_AGENT = 'long.thinker'

/** How long the handler of an event takes, and when the event was sent. */
export interface Asked {
  readonly number: number
  readonly waitMs: number
  readonly sentAtMs: number
}

const schema = {
  type: 'record',
  name: 'Asked',
  namespace: 'long',
  fields: [
    { name: 'number', type: 'int' },
    { name: 'waitMs', type: 'int', default: 0 },
    { name: 'sentAtMs', type: 'double', default: 0 },
  ],
}

/** The two topics of a trial. */
export function longContracts(partitions: number): ContractSet {
  return createContractSet(
    Object.fromEntries([ASKED, ANSWERED].map((topic) => [topic, { schema, owner: 'long', partitions }])),
  )
}

/** Appends `run <number> <latency in ms> <pid>` when the handler starts. */
export function longAgent(runsFile: string, maxInFlight: number): Agent {
  const definition = {
    name: LONG_AGENT,
    version: '1.0.0',
    consumes: ASKED,
    produces: [ANSWERED],
    maxInFlight,
    async handle(event: Asked, context: { publish(topic: string, value: Asked): string; signal: AbortSignal }) {
      appendFileSync(runsFile, `run ${event.number} ${Date.now() - event.sentAtMs} ${process.pid}\n`)
      if (event.waitMs > 0) await wait(event.waitMs, undefined, { signal: context.signal })
      context.publish(ANSWERED, { ...event, sentAtMs: Date.now() })
    },
  }
  return defineAgent(definition as unknown as Parameters<typeof defineAgent>[0])
}
