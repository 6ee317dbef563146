/** Packs bulky orders, as long as there is room. */
import { ask, shopAgent } from './shop-agent.ts'

export default shopAgent({
  name: 'shop.packer',
  consumes: 'shop.order-bulky',
  async handle(_event, { signal }) {
    await ask('pack', signal)
  },
})
