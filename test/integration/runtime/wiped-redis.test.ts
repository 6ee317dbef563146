/**
 * A Redis of its own that is flushed, and killed and started empty, while agents work on the real Kafka: nothing is lost, nothing happens
 * twice, with joins, durable steps, sleeps, retries and dead letters under way.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFolderRegistry } from '../../../contracts/registry-folder.ts'
import { createKafkaBroker } from '../../../runtime/adapters/kafka/broker.ts'
import { createRedisStore } from '../../../runtime/adapters/redis/store.ts'
import { terminal } from '../../../runtime/outcomes.ts'
import type { Store } from '../../../runtime/ports/claim-store.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { startPrivateRedis, type PrivateRedis } from '../../conformance/store-server.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import { testAgent, testContracts, worldOn, type Note, type TestContext, type World } from '../../harness/world.ts'

const FLOWS = 48
/** More than a sleep that waits in memory. */
const SLEEP_MS = 6_000
const LEASE_MS = 2_000
const TIMEOUT_MS = 120_000

let redis: PrivateRedis
let world: World
const stores: Store[] = []
/** How often what costs money was done, by what it was done for. */
const paid = new Map<string, number>()
const joined = new Map<string, number>()

beforeAll(async () => {
  // It comes back empty.
  redis = await startPrivateRedis({ appendonly: 'no' })
  const namespace = uniqueName('wiped')
  const broker = createKafkaBroker({
    brokers: await stackAddress('brokers'),
    clientId: namespace,
    namespace,
    clock: systemClock,
    logger: silentLogger,
  })
  world = await worldOn(broker, await openStore(namespace), createFolderRegistry(testContracts), namespace)
}, TIMEOUT_MS)

afterAll(async () => {
  await world.stop()
  for (const store of stores) await store.close()
  await redis.close()
}, TIMEOUT_MS)

/** As another process would open it. */
async function openStore(namespace: string): Promise<Store> {
  const store = createRedisStore({ url: redis.url, namespace, clock: systemClock, logger: silentLogger })
  stores.push(store)
  await store.connect()
  return store
}

function count(counts: Map<string, number>, name: string): number {
  const next = (counts.get(name) ?? 0) + 1
  counts.set(name, next)
  return next
}

const numberOf = ({ text }: Note): number => Number(/\d+/.exec(text)?.[0])

/** Pays in a durable step; some sleep behind it, some fail at first, some for ever. */
const payer = testAgent({
  name: 'test.payer',
  consumes: 'test.in',
  produces: ['test.left'],
  retry: { maxAttempts: 3, laneAttempts: 1, tiersMs: [500] },
  handle: async (event: Note, { publish, step, sleep, attempt }: TestContext) => {
    const which = numberOf(event) % 8
    const run = await step('pay', () => count(paid, event.text), { durable: true })
    if (which === 1) await sleep('night', SLEEP_MS)
    if (which === 2 && attempt === 1) throw new Error('not yet')
    if (which === 3) throw terminal('never')
    publish('test.left', { text: `${event.text} ${run} ${attempt} ${Math.random()}` })
  },
})

const forker = testAgent({
  name: 'test.forker',
  consumes: 'test.in',
  produces: ['test.right', 'test.other'],
  handle: async (event: Note, { publish }: TestContext) => {
    if (numberOf(event) % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1_500))
    publish('test.right', { text: `${event.text} ${Math.random()}` })
    publish('test.other', { text: `${event.text} ${Math.random()}` })
  },
})

const joiner = testAgent({
  name: 'test.joiner',
  consumes: { all: ['test.left', 'test.right'] },
  produces: ['test.out'],
  handle: async (events: Record<'test.left' | 'test.right', Note>, { publish, step }: TestContext) => {
    const { text } = events['test.left']
    await step('join', () => count(joined, text), { durable: true })
    publish('test.out', { text: `${text}+${events['test.right'].text} ${Math.random()}` })
  },
})

describe('a redis that is wiped', () => {
  it('loses nothing and repeats nothing', { timeout: TIMEOUT_MS }, async () => {
    const agents = [payer, forker, joiner]
    const limits = { maxOpen: 1_000, maxOpenBytes: 64_000_000, commitIntervalMs: 200 }
    const session = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 }
    const settings = { leaseMs: LEASE_MS, limits: { ...limits, ...session } }
    const services = [await world.start(agents, settings)]
    const ready = (): Promise<true> =>
      waitFor(() => services.every(({ health }) => health.isReady), { timeoutMs: 30_000, what: 'all to be ready' })
    const say = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index++)
        await world.publish('test.in', { text: `n${index}` }, { id: `n${index}` })
    }

    await say(0, FLOWS / 2)
    await waitFor(async () => (await world.events('test.left')).length >= FLOWS / 8, {
      timeoutMs: 30_000,
      what: 'work to be under way',
    })
    await redis.admin.flushall()
    await say(FLOWS / 2, FLOWS)
    await waitFor(() => services.some(({ health }) => !health.isReady), {
      timeoutMs: 10_000,
      what: 'the loss to be noticed',
    })
    await ready()
    // Copies of everything, as a careless producer sends them.
    await say(0, FLOWS)
    await redis.kill()
    await waitFor(() => services.some(({ health }) => !health.isReady), { timeoutMs: 30_000, what: 'the outage' })
    await redis.start()

    const expected = FLOWS - FLOWS / 8
    const distinct = async (topic: string): Promise<Map<string, Set<string>>> => {
      const texts = new Map<string, Set<string>>()
      for (const { envelope, note } of await world.events(topic))
        texts.set(envelope.id, (texts.get(envelope.id) ?? new Set()).add(note?.text ?? ''))
      return texts
    }
    const outs = await waitFor(
      async () => {
        const found = await distinct('test.out')
        return found.size >= expected ? found : undefined
      },
      { timeoutMs: 60_000, what: 'every flow to come through' },
    )
    await ready()
    const contents = new Map([
      ...outs,
      ...(await distinct('test.left')),
      ...(await distinct('test.right')),
      ...(await distinct('test.other')),
    ])
    expect([...contents].filter(([, texts]) => texts.size > 1)).toEqual([])
    expect(outs.size).toBe(expected)
    expect([...paid].filter(([, times]) => times > 1)).toEqual([])
    expect(paid.size).toBe(FLOWS)
    expect([...joined].filter(([, times]) => times > 1)).toEqual([])
    const letters = new Set(
      (await world.events('test.payer.dead-letter'))
        .filter(({ value }) => value !== null)
        .map(({ envelope }) => envelope.id),
    )
    expect(letters.size).toBe(FLOWS / 8)
    await waitFor(
      () =>
        services.every(({ health }) =>
          health.agents.every(({ running, open, sleeping }) => running + open + sleeping === 0),
        ),
      { timeoutMs: 30_000, what: 'everything to be finished' },
    )
  })
})
