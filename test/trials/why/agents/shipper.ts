/** Ships an order that has been priced and checked. */
import { shopAgent, type Order } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.shipper',
  consumes: { all: ['shop.order-priced', 'shop.order-checked'] },
  produces: ['shop.order-shipped'],
  handle(events, { publish }) {
    const { 'shop.order-priced': order } = events as Readonly<Record<string, Order>>
    if (order !== undefined) publish('shop.order-shipped', order)
  },
})
