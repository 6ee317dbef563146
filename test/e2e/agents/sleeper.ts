/** Takes about a second for every event, so that a thousand are in flight; says so in a file that all processes append to. */
import { randomInt, randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { trialAgent, type TrialEvent } from './trial-agent.ts'

const SHORTEST_MS = 800
const LONGEST_MS = 1_500
/** Set by the test that reads it. */
const runsFile = process.env['TRIAL_RUNS_FILE']

export default trialAgent({
  name: 'trial.sleeper',
  consumes: 'trial.begun',
  produces: ['trial.ended'],
  async handle(event, { eventId, signal, publish }) {
    if (runsFile !== undefined) appendFileSync(runsFile, `${eventId} ${process.pid}\n`)
    const { number } = event as TrialEvent
    await pause(randomInt(SHORTEST_MS, LONGEST_MS), undefined, { signal })
    publish('trial.ended', { number, lane: '', nonce: randomUUID() })
  },
})
