/** Files an answer or drops it, by the throw of a coin, within milliseconds and without a step: the short path under random results. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { CHAOS_RETRY, chaosAgent, failNowAndThen, type Answered } from './chaos-agent.ts'

export default chaosAgent({
  name: 'chaos.filer',
  retry: CHAOS_RETRY,
  consumes: 'chaos.answered',
  produces: { oneOf: ['chaos.filed', 'chaos.dropped'] },
  async handle(event, { publish, signal }) {
    await pause(Math.floor(Math.random() * 30), undefined, { signal })
    failNowAndThen('before the coin')
    publish(Math.random() < 0.5 ? 'chaos.filed' : 'chaos.dropped', { ...(event as Answered), nonce: randomUUID() })
  },
})
