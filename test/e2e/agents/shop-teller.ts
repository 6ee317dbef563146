/** Tells of every order, with the field that its version of the contract has. */
import { seen, shopVersion, NOTES, ORDERS, type ShopEvent } from './shop.ts'
import { trialAgent } from './trial-agent.ts'

export default trialAgent({
  name: 'shop.teller',
  consumes: ORDERS,
  produces: [NOTES],
  handle(event, { publish }) {
    const said = { number: (event as ShopEvent).number, text: seen('teller', event) }
    const field = shopVersion() === 'old' ? { coupon: 'ten' } : { currency: 'USD' }
    ;(publish as (topic: string, value: object) => string)(NOTES, { ...said, ...field })
  },
})
