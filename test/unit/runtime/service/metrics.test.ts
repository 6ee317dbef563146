/** What a process says of itself is what has happened: each figure is compared with the facts on the log or with the world around it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { terminal } from '../../../../runtime/outcomes.ts'
import type { Service } from '../../../../runtime/service/service.ts'
import type { MetricSnapshot } from '../../../../tracing/metric-snapshot.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>

beforeEach(async () => {
  world = await memoryWorld()
})
afterEach(() => world.stop())

const AGENT = 'test.copy'
const agent = { agent: AGENT }
const input = { agent: AGENT, topic: 'test.in' }

const LIMITS = {
  maxOpen: 5_000,
  maxOpenBytes: 64_000_000,
  commitIntervalMs: 50,
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 500,
}

const copier = (handle: (event: Note, context: TestContext) => void | Promise<void>, policy: object = {}) =>
  testAgent({
    name: AGENT,
    consumes: 'test.in',
    produces: { maybe: ['test.out'] },
    retry: { maxAttempts: 2, baseDelayMs: 1 },
    ...policy,
    handle,
  })

async function read(service: Service): Promise<MetricSnapshot> {
  const snapshot = await service.metrics()
  if (snapshot === undefined) throw new Error('the service has not started')
  return snapshot
}

/** A handler that waits until it is let go. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

describe('counters', () => {
  it('count each end of a handling once, as the facts say it', async () => {
    const service = await world.start([
      copier(
        ({ text }, { publish, attempt }) => {
          if (text === 'bad') throw terminal('cannot be read')
          if (text === 'again' && attempt === 1) throw new Error('not now')
          publish('test.out', { text })
        },
        { accepts: { 'test.in': 'event.count >= 0' } },
      ),
    ])
    await world.publish('test.in', { text: 'good' }, { id: 'one' })
    await world.untilFacts('completed', 1)
    await world.publish('test.in', { text: 'good' }, { id: 'one' })
    await world.publish('test.in', { text: 'again' })
    await world.publish('test.in', { text: 'bad' })
    await world.publish('test.in', { text: 'refused', count: -1 })
    await world.untilFacts('duplicate', 1)
    await world.untilFacts('dead-lettered', 1)
    await world.untilFacts('rejected', 1)
    await world.untilFacts('completed', 2)
    const snapshot = await waitFor(async () => {
      const found = await read(service)
      return found.sumOf('laban.handling.completed', input) === 2 && found
    })
    expect(snapshot.sumOf('laban.handling.rejected', input)).toBe(1)
    expect(snapshot.sumOf('laban.handling.duplicates', input)).toBe(1)
    expect(snapshot.sumOf('laban.handling.retries', input)).toBe(1)
    expect(snapshot.sumOf('laban.handling.dead_letters', input)).toBe(1)
    expect(snapshot.sumOf('laban.handling.failures', { ...input, error_code: 'LABAN_HANDLER_FAILED' })).toBe(1)
    expect(snapshot.sumOf('laban.handling.failures', { ...input, error_code: 'LABAN_HANDLER_REJECTED' })).toBe(1)
    const [completion] = snapshot.histograms.get('laban.handling.completion') ?? []
    expect(completion).toMatchObject({ labels: input, count: 2 })
    const [duration] = snapshot.histograms.get('laban.handling.duration') ?? []
    expect(duration).toMatchObject({ labels: agent, count: 4 })
  })

  it('do not count what the broker has not acknowledged', async () => {
    const held = gate()
    const service = await world.start([
      copier(async ({ text }, { publish }) => {
        await held.opened
        publish('test.out', { text })
      }),
    ])
    await world.publish('test.in', { text: 'a' })
    await waitFor(async () => (await read(service)).sumOf('laban.handling.in_progress', agent) === 1)
    expect((await read(service)).sumOf('laban.handling.completed')).toBe(0)
    held.open()
    await waitFor(async () => (await read(service)).sumOf('laban.handling.completed') === 1)
  })

  it('count joins from their first member, and members that come late', async () => {
    const joiner = testAgent({
      name: 'test.join',
      consumes: { all: ['test.left', 'test.right'] },
      produces: ['test.out'],
      handle: (_event: unknown, { publish }: TestContext) => void publish('test.out', { text: 'both' }),
    })
    const service = await world.start([joiner])
    await world.publish('test.left', { text: 'half' }, { id: 'flow' })
    await world.untilFacts('waiting', 1)
    const snapshot = await waitFor(async () => {
      const found = await read(service)
      return found.sumOf('laban.join.begun') === 1 && found
    })
    expect(snapshot.sumOf('laban.join.members', { agent: 'test.join', reason: 'waiting' })).toBe(1)
    expect(snapshot.sumOf('laban.handling.completed')).toBe(0)
  })

  it('count a handling that a dead process has left as taken over', async () => {
    const held = gate()
    const options = { leaseMs: 300, limits: { ...LIMITS, sessionTimeoutMs: 300, heartbeatIntervalMs: 50 } }
    const dead = await world.startMortal([copier(() => held.opened)], options)
    const flowId = await world.publish('test.in', { text: 'a' })
    const claims = world.store.claimsOf(AGENT, { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
    const isClaimed = async (): Promise<boolean> =>
      (await claims.read([{ flowId, handlingId: flowId }]))[0]?.state === 'claimed'
    await waitFor(isClaimed, { what: 'the claim' })
    dead.kill()
    const heir = await world.start([copier(() => undefined)], options)
    await world.untilFacts('completed', 1)
    expect((await read(heir)).sumOf('laban.handling.takeovers', agent)).toBe(1)
    held.open()
  })
})

describe('gauges', () => {
  it('say what is under way, how old it is, and what lies behind it', async () => {
    const held = gate()
    const service = await world.start([copier(() => held.opened, { maxInFlight: 2 })])
    for (let count = 0; count < 5; count++) await world.publish('test.in', { count })
    const snapshot = await waitFor(async () => {
      const found = await read(service)
      return found.sumOf('laban.records.open', agent) === 5 && found
    })
    expect(snapshot.sumOf('laban.handling.in_progress', agent)).toBe(2)
    expect(snapshot.sumOf('laban.handling.limit', agent)).toBe(2)
    expect(snapshot.sumOf('laban.consumer.lag', input)).toBe(5)
    expect(snapshot.sumOf('laban.handling.oldest_age', agent)).toBeLessThan(5)
    await waitFor(async () => (await read(service)).sumOf('laban.handling.oldest_age', agent) > 0.05)
    held.open()
    await waitFor(async () => (await read(service)).sumOf('laban.consumer.lag', input) === 0)
    expect((await read(service)).sumOf('laban.handling.oldest_age', agent)).toBe(0)
  })

  it('count what is not fetched while a partition takes nothing', async () => {
    const held = gate()
    const limits = { ...LIMITS, maxOpen: 1 }
    const service = await world.start([copier(() => held.opened)], { limits })
    for (let count = 0; count < 20; count++) await world.publish('test.in', { count }, { key: 'one' })
    const snapshot = await waitFor(async () => {
      const found = await read(service)
      return found.sumOf('laban.consumer.lag', input) === 20 && found
    })
    expect(snapshot.sumOf('laban.records.open', agent)).toBeLessThan(20)
    expect(snapshot.sumOf('laban.agent.paused', { ...agent, reason: 'room' })).toBe(1)
    held.open()
  })

  it('say which keys wait behind a failed event', async () => {
    const service = await world.start([
      copier(({ text }) => {
        if (text === 'bad') throw terminal('no')
      }),
    ])
    await world.publish('test.in', { text: 'bad' }, { key: 'k' })
    await world.untilFacts('dead-lettered', 1)
    await world.publish('test.in', { text: 'next' }, { key: 'k' })
    await world.untilFacts('suspended', 1)
    const snapshot = await read(service)
    expect(snapshot.sumOf('laban.handling.parked_keys', agent)).toBe(1)
    expect(snapshot.sumOf('laban.handling.suspended', { ...input, reason: 'parked' })).toBe(1)
  })

  it('say which server is away, and that leases are not renewed', async () => {
    const service = await world.start([copier(() => undefined)], { leaseMs: 60 })
    const before = await read(service)
    expect(before.sumOf('laban.dependency.available')).toBe(3)
    expect(before.sumOf('laban.process.ready')).toBe(1)
    world.memoryStore.faults.unavailableFor(60_000)
    const snapshot = await waitFor(async () => {
      const found = await read(service)
      return found.sumOf('laban.lease.failures') > 0 && found.sumOf('laban.process.ready') === 0 && found
    })
    expect(snapshot.sumOf('laban.dependency.available', { dependency: 'store' })).toBe(0)
    expect(snapshot.sumOf('laban.dependency.available', { dependency: 'broker' })).toBe(1)
    world.memoryStore.faults.unavailableFor(0)
    await waitFor(async () => (await read(service)).sumOf('laban.process.ready') === 1)
  })
})
