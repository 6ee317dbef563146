/** Keeps what it was told, and what its version of the contract saw of it. */
import { KEPT, NOTES, seen, type ShopEvent } from './shop.ts'
import { trialAgent } from './trial-agent.ts'

export default trialAgent({
  name: 'shop.keeper',
  consumes: NOTES,
  produces: [KEPT],
  handle(event, { publish }) {
    ;(publish as (topic: string, value: object) => string)(KEPT, {
      number: (event as ShopEvent).number,
      text: seen('keeper', event),
    })
  },
})
