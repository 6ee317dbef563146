/** Kills its process on number 13, in the way that TRIAL_DEATH names, unless it is mended. */
import { randomUUID } from 'node:crypto'
import { trialAgent, type TrialEvent } from './trial-agent.ts'

const isMended = process.env['TRIAL_MENDED'] === 'true'
const FATAL = 13

export default trialAgent({
  name: 'trial.fatal',
  consumes: 'trial.begun',
  produces: ['trial.noted', 'trial.ended'],
  async handle(event, { publish }) {
    const { number, lane = '' } = event as TrialEvent
    if (number === FATAL && !isMended) await die(process.env['TRIAL_DEATH'])
    for (const topic of ['trial.noted', 'trial.ended']) publish(topic, { number, lane, nonce: randomUUID() })
  },
})

async function die(how: string | undefined): Promise<void> {
  process.stderr.write(`dies of ${how}\n`)
  if (how === 'loop') for (;;);
  if (how !== 'memory') process.exit(9)
  const kept: string[][] = []
  for (;;) {
    kept.push(Array.from({ length: 100_000 }, (_, index) => `${index} of ${kept.length}`))
    await new Promise((resolve) => setImmediate(resolve))
  }
}
