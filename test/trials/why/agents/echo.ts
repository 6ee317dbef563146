/** Answers the wall, which answers it. */
import { ask, shopAgent, type Order } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.echo',
  consumes: 'shop.order-called',
  produces: ['shop.order-echoed'],
  async handle(event, { publish, signal }) {
    await ask('echo', signal)
    publish('shop.order-echoed', event as Order)
  },
})
