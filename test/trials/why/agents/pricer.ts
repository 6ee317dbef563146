/** Prices an order: asks the service, and fails on what cannot be priced. */
import { terminal } from 'laban'
import { ask, shopAgent, type Order } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.pricer',
  consumes: 'shop.order-placed',
  produces: ['shop.order-priced'],
  retry: { maxAttempts: 4, laneAttempts: 2, baseDelayMs: 200, tiersMs: [15_000, 600_000] },
  maxInFlight: 16,
  async handle(event, { publish, step, sleep, signal }) {
    const order = event as Order
    if (order.wish === 'poison') throw terminal(`no price for ${order.customer}`)
    if (order.wish === 'death') process.exit(9)
    if (order.wish === 'nap') await sleep('cool down', 20_000)
    if (order.wish === 'large') return void publish('shop.order-priced', { ...order, customer: 'x'.repeat(1_200_000) })
    await step('price', () => ask('price', signal))
    publish('shop.order-priced', order)
  },
})
