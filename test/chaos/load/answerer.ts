/** Answers questions in three steps (a model, a charge, a record) that together take 5 ms to 30 s, and says something random. */
import { randomUUID } from 'node:crypto'
import { askWorld, CHAOS_RETRY, chaosAgent, failNowAndThen, tellWorld, type Asked } from './chaos-agent.ts'

export default chaosAgent({
  name: 'chaos.answerer',
  retry: CHAOS_RETRY,
  consumes: 'chaos.asked',
  produces: { always: ['chaos.answered'], maybe: ['chaos.remarked'] },
  async handle(event, { publish, step, effect, eventId, signal }) {
    const { number, lane, waitMs } = event as Asked
    await tellWorld(`begin/${eventId}`, {}, signal)
    const thinkMs = Math.floor(waitMs * 0.6)
    const answer = await step('model', (call) => tellWorld(`model/${eventId}`, { waitMs: thinkMs }, call.signal), {
      durable: true,
    })
    failNowAndThen('after the model')
    const charge = await effect(
      'charge',
      (key, call) =>
        tellWorld(`charge/${eventId}`, { key, told: answer, waitMs: Math.floor(waitMs * 0.2) }, call.signal),
      {
        reconcile: async (key, call) => {
          const found = await askWorld(key, call.signal)
          return found === undefined ? undefined : { found }
        },
      },
    )
    failNowAndThen('after the charge')
    const receipt = await step(
      'record',
      (call) => tellWorld(`record/${eventId}`, { told: charge, waitMs: Math.floor(waitMs * 0.2) }, call.signal),
      { durable: true },
    )
    failNowAndThen('at the end')
    const said = { number, lane, answer, receipt, nonce: randomUUID() }
    publish('chaos.answered', said)
    if (Math.random() < 0.5) publish('chaos.remarked', said)
  },
})
