/** Reads what is published from its first start on, and nothing that was there before. */
import { shopAgent } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.latecomer',
  consumes: 'shop.order-gifted',
  startFrom: 'latest',
  handle: () => undefined,
})
