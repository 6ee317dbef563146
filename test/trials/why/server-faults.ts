/** Faults of servers: a store that is away, silent or wiped; a registry that is away; brokers that refuse. */
import { waitFor } from '../../harness/wait.ts'
import { since, until, type Fault } from './fault.ts'
import { steadyMs, valueOfNewSchema } from './shop.ts'

export const SERVER_FAULTS: readonly Fault[] = [
  {
    name: 'store killed',
    by: 'SIGKILL',
    expects: ['store-unavailable'],
    async inject(shop) {
      await shop.redis.kill()
      return since(await shop.place())
    },
    heal: (shop) => shop.redis.start(),
  },
  {
    name: 'store silent: connections stay open and nothing answers',
    by: 'SIGSTOP',
    expects: ['store-unavailable'],
    async inject(shop) {
      shop.redis.freeze()
      return since(await shop.place())
    },
    heal: (shop) => Promise.resolve(shop.redis.thaw()),
  },
  storeWiped(),
  {
    name: 'registry away, and a schema is needed that nobody has loaded',
    by: 'TCP proxy refuses',
    expects: ['registry-unavailable'],
    async inject(shop) {
      const value = await valueOfNewSchema(shop, 'note')
      await shop.registry.refuse()
      const [at] = await shop.append([{ topic: 'shop.order-placed', key: 'newer', value, headers: {} }])
      return since(`${at?.topic ?? ''}/${at?.partition ?? 0}@${at?.offset ?? 0}`)
    },
    heal: (shop) => shop.registry.accept(),
  },
  {
    name: 'registry away while a flow stands for another reason',
    by: 'TCP proxy refuses, SIGTERM',
    expects: ['no-live-consumer'],
    agent: 'shop.checker',
    async inject(shop) {
      await shop.end('checker', 'SIGTERM')
      await shop.registry.refuse()
      return since(await shop.place())
    },
    async heal(shop) {
      await shop.registry.accept()
      await shop.start(['checker'])
    },
  },
  {
    name: 'brokers refuse what a handler publishes',
    by: 'admin call: the topic takes smaller records',
    expects: ['publish-blocked', 'unpublishable'],
    agent: 'shop.shipper',
    async inject(shop) {
      await shop.stack.broker.admin.setTopicConfig('shop.order-shipped', { 'max.message.bytes': '10' })
      return since(await shop.place())
    },
    async heal(shop) {
      await shop.stack.broker.admin.setTopicConfig('shop.order-shipped', { 'max.message.bytes': '1048576' })
    },
  },
  {
    name: 'agent stopped itself: most of its records fail',
    by: 'many orders that cannot be priced',
    expects: ['agent-failing'],
    agent: 'shop.pricer',
    async inject(shop) {
      for (let number = 0; number < 25; number++) await shop.place('poison')
      const [pricer] = shop.processes('pricer').slice(-1)
      await waitFor(async () => ((await pricer?.health('ready'))?.problems ?? []).some((text) => /fail/.test(text)), {
        timeoutMs: 60_000,
        what: 'the pricer to stop itself',
      })
      return { id: await shop.place(), trueAtMs: steadyMs() }
    },
    async heal(shop) {
      await shop.end('pricer')
      await shop.start(['pricer'])
    },
  },
]

/** One wipe is read back within a second, sooner than anybody asks. */
function storeWiped(): Fault {
  let wiping: NodeJS.Timeout | undefined
  return {
    name: 'store wiped, again and again',
    by: 'FLUSHALL every 200 ms',
    expects: ['store-rebuilding'],
    async inject(shop) {
      await shop.redis.admin.flushall()
      wiping = setInterval(() => void shop.redis.admin.flushall(), 200)
      return since(await shop.place())
    },
    heal: async (shop) => {
      clearInterval(wiping)
      await until(shop, await shop.place(), 'completed')
    },
  }
}
