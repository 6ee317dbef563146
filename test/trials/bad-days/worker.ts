/** Handles most events at once and every tenth in about a second, and says so in a file that all processes append to. */
import { randomInt, randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { trialAgent, type TrialEvent } from '../../e2e/agents/trial-agent.ts'

const SLOW_EVERY = 10
/** Set by the trial that reads it. */
const runsFile = process.env['TRIAL_RUNS_FILE']

export default trialAgent({
  name: 'trial.worker',
  consumes: 'trial.begun',
  produces: ['trial.noted'],
  async handle(event, { eventId, signal, publish }) {
    const { number, lane = '' } = event as TrialEvent
    // This clock is the same in every process of the machine, and nobody sets it.
    const atMs = Number(process.hrtime.bigint() / 1_000_000n)
    if (runsFile !== undefined) appendFileSync(runsFile, `${eventId} ${process.pid} ${atMs}\n`)
    if (number % SLOW_EVERY === 0) await pause(randomInt(500, 1_500), undefined, { signal })
    publish('trial.noted', { number, lane, nonce: randomUUID() })
  },
})
