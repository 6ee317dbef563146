/** Says as much as it is told: a lane `3x500` asks for three outputs of 500 bytes; other lanes ask for nothing. */
import { trialAgent, type TrialEvent } from './trial-agent.ts'

export default trialAgent({
  name: 'trial.large',
  consumes: 'trial.begun',
  produces: { maybe: ['trial.ended'] },
  retry: { maxAttempts: 2, baseDelayMs: 10 },
  handle(event, { publish }) {
    const { number, lane = '' } = event as TrialEvent
    const [, count = '0', bytes = '0'] = /^(\d+)x(\d+)$/.exec(lane) ?? []
    for (let index = 0; index < Number(count); index++)
      publish('trial.ended', { number, lane: '', nonce: 'x'.repeat(Number(bytes)) })
  },
})
