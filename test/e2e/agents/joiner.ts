/** Ends a flow when both halves are done. */
import { randomUUID } from 'node:crypto'
import { labour, trialAgent, type TrialEvent } from './trial-agent.ts'

export default trialAgent({
  name: 'trial.joiner',
  consumes: { all: ['trial.left-done', 'trial.right-done'] },
  produces: ['trial.ended'],
  async handle(events, context) {
    const { 'trial.left-done': left } = events as Readonly<Record<'trial.left-done' | 'trial.right-done', TrialEvent>>
    await labour('trial.joiner', context)
    context.publish('trial.ended', { number: left.number, nonce: randomUUID() })
  },
})
