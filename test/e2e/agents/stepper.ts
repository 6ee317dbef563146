/** An agent with a paid model call, a charge and a record, each a call of a counter outside that says who called. */
import { randomUUID } from 'node:crypto'
import type { Agent } from 'laban'
import { trialAgent, type Said, type TrialEvent } from './trial-agent.ts'

/** Set by the test that listens there. */
const counterUrl = process.env['TRIAL_COUNTER_URL'] ?? ''

/** What the counter answers. */
interface Answer {
  readonly text: string
}

/** One of several agents that differ in nothing but their names: each has a consumer group of its own. */
export function stepper(name: string, version = '1.0.0'): Agent {
  return trialAgent({
    name,
    version,
    consumes: 'trial.begun',
    produces: ['trial.ended'],
    async handle(event, { step, effect, publish, eventId, signal }) {
      const { number, lane = '' } = event as TrialEvent
      const call = (what: string, key: string): Promise<Answer> => callCounter(what, name, key, signal)
      const model = await step('model', () => call('model', eventId), { durable: true, cost: 0.01 })
      const charge = await effect('charge', (key) => call('charge', key), {
        reconcile: async (key) => {
          const { text } = await call('charged', key)
          return text === '' ? undefined : { found: { text } }
        },
      })
      const record = await effect('record', (key) => call('record', key))
      if (version !== '1.0.0') await step('thank', () => call('thank', eventId))
      const said: Said = { number, lane, nonce: [model, charge, record].map(({ text }) => text).join(' ') }
      publish('trial.ended', { ...said, nonce: `${said.nonce} ${randomUUID()}` })
    },
  })
}

async function callCounter(what: string, agent: string, key: string, signal: AbortSignal): Promise<Answer> {
  const url = `${counterUrl}/${what}/${agent}/${key}?pid=${process.pid}`
  const response = await fetch(url, { method: 'POST', signal })
  if (!response.ok) throw new Error(`${what} answered ${response.status}`)
  return (await response.json()) as Answer
}
