/** Answers the echo, which answers it. */
import { shopAgent, type Order } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.wall',
  consumes: 'shop.order-echoed',
  produces: ['shop.order-called'],
  handle: (event, { publish }) => void publish('shop.order-called', event as Order),
})
