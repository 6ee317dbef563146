/** Fails on odd numbers until its second version, kills its process on a poisonous one. */
import { randomUUID } from 'node:crypto'
import { trialAgent, type TrialEvent } from './trial-agent.ts'

const isMended = process.env['TRIAL_MENDED'] === 'true'
const poison = Number(process.env['TRIAL_POISON'] ?? 'NaN')

export default trialAgent({
  name: 'trial.fragile',
  version: isMended ? '2.0.0' : '1.0.0',
  consumes: 'trial.begun',
  produces: ['trial.noted', 'trial.ended'],
  retry: { maxAttempts: 3, baseDelayMs: 10 },
  handle(event, { publish }) {
    const { number, lane = '' } = event as TrialEvent
    if (number === poison) process.kill(process.pid, 'SIGKILL')
    if (!isMended && number % 2 === 1) throw new RangeError(`no odds here: ${number}`)
    for (const topic of ['trial.noted', 'trial.ended']) publish(topic, { number, lane, nonce: randomUUID() })
  },
})
