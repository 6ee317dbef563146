/** Faults of one instance only: its way to a server is cut, its clock is wrong, or it is full, while everybody else is well. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { stackAddress } from '../../harness/real-stack.ts'
import { TcpProxy } from '../../harness/tcp-proxy.ts'
import { waitFor } from '../../harness/wait.ts'
import { since, until, type Fault } from './fault.ts'
import { steadyMs, valueOfNewSchema, type Shop, type ShopAgent } from './shop.ts'

const HARNESS = join(import.meta.dirname, '..', '..', 'harness')
const HOUR_MS = 3_600_000
/** A partition that takes nothing says so when its commits have stood still for so long. */
const STANDSTILL_MS = 30_000
/** Few enough that so many orders cannot all be held. */
const HELD_BYTES = 200_000
const LARGE_ORDERS = 40
const LARGE_BYTES = 10_000

let wire: TcpProxy | undefined

export const INSTANCE_FAULTS: readonly Fault[] = [
  {
    name: 'store unreachable for the only instance of an agent',
    by: 'TCP proxy refuses',
    expects: ['store-unavailable'],
    agent: 'shop.pricer',
    async inject(shop) {
      await replace(shop, 'pricer', await wireTo(shop.redis.url, 'LABAN_REDIS_URL'))
      await wire?.refuse()
      return since(await shop.place())
    },
    heal: healPricer,
  },
  {
    name: 'store unreachable for one of two instances',
    by: 'TCP proxy refuses',
    expects: ['store-unavailable'],
    agent: 'shop.pricer',
    async inject(shop) {
      const partition = await second(shop, await wireTo(shop.redis.url, 'LABAN_REDIS_URL'))
      await wire?.refuse()
      return since(await shop.placeIn(partition))
    },
    heal: healPricer,
  },
  {
    name: 'brokers unreachable for the only instance of an agent',
    by: 'TCP proxy refuses',
    expects: ['broker-unreachable'],
    agent: 'shop.pricer',
    async inject(shop) {
      await replace(shop, 'pricer', await wireToBrokers())
      await wire?.refuse()
      return since(await shop.place())
    },
    heal: healPricer,
  },
  {
    name: 'brokers unreachable for one of two instances',
    by: 'TCP proxy refuses',
    expects: ['broker-unreachable'],
    agent: 'shop.pricer',
    async inject(shop) {
      const partition = await second(shop, await wireToBrokers())
      await wire?.refuse()
      return since(await shop.placeIn(partition))
    },
    heal: healPricer,
  },
  {
    name: 'registry unreachable for one instance, and a schema is needed that it has not loaded',
    by: 'TCP proxy refuses',
    expects: ['registry-unavailable'],
    agent: 'shop.pricer',
    async inject(shop) {
      await replace(shop, 'pricer', await wireTo(shop.registry.url, 'LABAN_REGISTRY_URL'))
      const value = await valueOfNewSchema(shop, 'remark')
      await wire?.refuse()
      const [at] = await shop.append([{ topic: 'shop.order-placed', key: 'remarked', value, headers: {} }])
      return since(`${at?.topic ?? ''}/${at?.partition ?? 0}@${at?.offset ?? 0}`)
    },
    heal: healPricer,
  },
  {
    name: 'instance killed whose clock is an hour ahead',
    by: 'SIGKILL, preloaded clock',
    expects: ['no-live-consumer'],
    agent: 'shop.pricer',
    async inject(shop) {
      await replace(shop, 'pricer', { NODE_OPTIONS: preload('skewed-clock.ts'), SKEW_MS: String(HOUR_MS) })
      await until(shop, await shop.place(), 'completed')
      await shop.end('pricer')
      return since(await shop.place())
    },
    heal: healPricer,
  },
  {
    name: 'event chain that comes back to where it began',
    by: 'two agents that answer each other',
    expects: ['cycle'],
    async inject(shop) {
      await shop.start(['echo', 'wall'])
      const value = (await shop.codec()).encode('shop.order-called', { number: 1, customer: 'x', wish: '' })
      const [at] = await shop.append([{ topic: 'shop.order-called', key: 'x', value, headers: {} }])
      return since(`${at?.topic ?? ''}/${at?.partition ?? 0}@${at?.offset ?? 0}`)
    },
    async heal(shop) {
      await shop.end('echo', 'SIGKILL')
      await shop.end('wall', 'SIGKILL')
    },
  },
  {
    name: 'partition paused: handlers hang and hold as many bytes as an agent may',
    by: 'service holds its answers, many large orders',
    expects: ['partition-paused'],
    agent: 'shop.packer',
    async inject(shop) {
      await shop.start(['packer'], { LABAN_MAX_BUFFERED_BYTES: String(HELD_BYTES) })
      shop.service.set('pack', 'silent')
      const codec = await shop.codec()
      const order = { number: 1, customer: 'x', wish: 'x'.repeat(LARGE_BYTES) }
      const value = codec.encode('shop.order-bulky', order)
      let id = ''
      for (let number = 0; number < LARGE_ORDERS; number++) {
        // All in one partition, each of another customer.
        const record = { topic: 'shop.order-bulky', partition: 0, key: `large-${number}`, value, headers: {} }
        const [at] = await shop.append([record])
        id = `${at?.topic ?? ''}/${at?.partition ?? 0}@${at?.offset ?? 0}`
      }
      await waitFor(() => shop.service.held('pack') > 0, { timeoutMs: 30_000, what: 'the packer to be at work' })
      return { id, trueAtMs: steadyMs() + STANDSTILL_MS }
    },
    async heal(shop) {
      shop.service.set('pack', 'fine')
      await shop.end('packer')
      await shop.deleteRecords('shop.order-bulky')
    },
  },
]

/** One process in the place of all there are. */
async function replace(shop: Shop, agent: ShopAgent, env: Readonly<Record<string, string>>): Promise<void> {
  await shop.end(agent, 'SIGTERM')
  await shop.start([agent], env)
  await until(shop, await shop.place(), 'completed')
}

async function healPricer(shop: Shop): Promise<void> {
  await shop.end('pricer')
  await wire?.refuse()
  wire = undefined
  await shop.start(['pricer'])
}

/** A way of its own to a server, as configuration of a process. */
async function wireTo(url: string, key: string): Promise<Readonly<Record<string, string>>> {
  wire = await TcpProxy.start(url)
  return { [key]: wire.url }
}

/** Brokers tell clients their own address, so the process's connections to it are led another way. */
async function wireToBrokers(): Promise<Readonly<Record<string, string>>> {
  const [broker = ''] = await stackAddress('brokers')
  wire = await TcpProxy.start(`tcp://${broker}`)
  return { NODE_OPTIONS: preload('led-port.ts'), LED_PORT: `${broker.split(':')[1] ?? ''}:${wire.port}` }
}

function preload(file: string): string {
  return `--import=${pathToFileURL(join(HARNESS, file)).href}`
}

/** Starts one more pricer with this configuration, and says which partition of the orders it has then. */
async function second(shop: Shop, env: Readonly<Record<string, string>>): Promise<number> {
  await shop.start(['pricer'], env)
  const pid = shop.processes('pricer').at(-1)?.pid
  return waitFor(
    async () => {
      for (const { partition } of await shop.stack.broker.admin.offsets('shop.order-placed')) {
        const id = await shop.placeIn(partition)
        await until(shop, id, 'completed')
        const { handlings } = await shop.flow(id)
        if (handlings.some(({ agent, instance }) => agent === 'shop.pricer' && instance.includes(`-${pid}-`))) {
          return { partition }
        }
      }
      return undefined
    },
    { timeoutMs: 60_000, what: 'the second pricer to have a partition' },
  ).then(({ partition }) => partition)
}
