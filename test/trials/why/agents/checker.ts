/** Checks an order; an order that is not wanted is not checked off. */
import { ask, shopAgent, type Order } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.checker',
  consumes: 'shop.order-placed',
  produces: { maybe: ['shop.order-checked'] },
  async handle(event, { publish, signal }) {
    const order = event as Order
    await ask('check', signal)
    if (order.wish !== 'refuse') publish('shop.order-checked', order)
  },
})
