/** Notes every event at once, in the order of its lane: outputs of one lane share a partition. */
import { randomUUID } from 'node:crypto'
import { trialAgent, type TrialEvent } from './trial-agent.ts'

export default trialAgent({
  name: 'trial.noter',
  consumes: 'trial.begun',
  produces: ['trial.noted'],
  handle(event, { publish }) {
    const { number, lane = '' } = event as TrialEvent
    publish('trial.noted', { number, lane, nonce: randomUUID() })
  },
})
