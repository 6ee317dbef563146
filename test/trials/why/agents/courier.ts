/** Brings what has been shipped; the last of the flow. */
import { ask, shopAgent } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.courier',
  consumes: 'shop.order-shipped',
  async handle(_event, { signal }) {
    await ask('bring', signal)
  },
})
