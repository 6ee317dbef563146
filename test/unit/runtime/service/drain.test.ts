/** A drain lets running handlers end, leaves at once what only waits, and never outlasts its time, whatever is away. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Agent } from '../../../../runtime/agent.ts'
import { createSkippingClock } from '../../../harness/skipping-clock.ts'
import { waitFor } from '../../../harness/wait.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let isBrokerAway = false

beforeEach(async () => {
  isBrokerAway = false
  world = await memoryWorld({ faults: { onSend: () => (isBrokerAway ? 'unavailable' : undefined) } })
})

afterEach(() => world.stop())

const stateOf = async (agent: string, flowId: string) => {
  const claims = world.store.claimsOf(agent, { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
  return (await claims.read([{ flowId, handlingId: flowId }]))[0]
}

/** Runs until its signal aborts. */
const patient = (): Agent =>
  testAgent({
    name: 'test.patient',
    consumes: 'test.in',
    handle: (_event: Note, { signal }: TestContext) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  })

describe('a drain', () => {
  it('leaves a handling that waits for its next attempt, and gives its claim up', async () => {
    const failing = testAgent({
      name: 'test.failing',
      consumes: 'test.in',
      retry: { maxAttempts: 5, laneMs: 1e12, baseDelayMs: 1e9, maxDelayMs: 1e9 },
      handle: () => Promise.reject(new TypeError('not yet')),
    })
    const service = await world.start([failing], { drainTimeoutMs: 60_000 })
    const flowId = await world.publish('test.in', { text: 'x' })
    await waitFor(async () => (await stateOf('test.failing', flowId))?.state === 'claimed', { what: 'the claim' })
    await service.stop()
    expect(await stateOf('test.failing', flowId)).toEqual({ state: 'claimed', owner: '', attempt: 1 })
    expect((await world.facts()).map((fact) => fact.outcome)).toEqual(['retried'])
  })

  it('leaves a handling that waits for its owner in another process', async () => {
    const flowId = await world.publish('test.in', { text: 'x' })
    await world.store.leases.renew('elsewhere', 60_000)
    const claims = world.store.claimsOf('test.patient', { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
    await claims.claim([{ flowId, handlingId: flowId, owner: 'elsewhere', from: 'absent' }])
    const service = await world.start([patient()], { drainTimeoutMs: 60_000 })
    await waitFor(() => service.health.agents[0]?.running === 1, { what: 'the record to be looked at' })
    await service.stop()
    expect(await stateOf('test.patient', flowId)).toEqual({ state: 'claimed', owner: 'elsewhere', attempt: 1 })
    const committed = await world.broker.admin.groupOffsets('test.patient', ['test.in'])
    expect(committed.every(({ offset }) => offset === 0)).toBe(true)
  })

  it('starts no handler any more', async () => {
    const runs: string[] = []
    const agent = testAgent({
      ...{ name: 'test.one-by-one', consumes: 'test.in', maxInFlight: 1 },
      handle: async (event: Note) => {
        runs.push(event.text)
        await waitFor(() => service.health.state === 'draining')
      },
    })
    const service = await world.start([agent])
    for (const text of ['a', 'b', 'c']) await world.publish('test.in', { text })
    await waitFor(() => runs.length === 1)
    await service.stop()
    expect(runs).toHaveLength(1)
    expect((await world.facts()).map((fact) => fact.outcome)).toEqual(['completed'])
  })

  it('ends in time although the broker takes no record', async () => {
    const clock = createSkippingClock()
    const echo = testAgent({
      ...{ name: 'test.echo', consumes: 'test.in', produces: ['test.out'] },
      handle: (event: Note, { publish }: TestContext) => void publish('test.out', event),
    })
    const service = await world.start([echo], { clock, drainTimeoutMs: 1_000 })
    const flowId = await world.publish('test.in', { text: 'x' })
    isBrokerAway = true
    const again = await world.publish('test.in', { text: 'x' }).catch(() => 'away')
    expect(again).toBe('away')
    await waitFor(async () => (await stateOf('test.echo', flowId))?.state !== 'absent', { what: 'the result' })
    await expectEnd(service.stop(), clock.skip)
  })

  it('ends in time although the store does not answer', async () => {
    const clock = createSkippingClock()
    const service = await world.start([patient()], { clock, drainTimeoutMs: 1_000 })
    world.memoryStore.faults.unavailableFor(600_000)
    await world.publish('test.in', { text: 'x' })
    await waitFor(() => service.health.problems.length > 0, { what: 'the store to be missed' })
    await expectEnd(service.stop(), clock.skip)
    world.memoryStore.faults.unavailableFor(0)
  })

  it('does not wait for a handler that ignores its signal longer than the drain may take', async () => {
    const clock = createSkippingClock()
    const deaf = testAgent({
      ...{ name: 'test.deaf', consumes: 'test.in', abortGraceMs: 1e9 },
      handle: () => new Promise<void>(() => undefined),
    })
    const service = await world.start([deaf], { clock, drainTimeoutMs: 1_000 })
    await world.publish('test.in', { text: 'x' })
    await waitFor(() => service.health.agents[0]?.running === 1)
    await expectEnd(service.stop(), clock.skip)
  })
})

/** Lets time pass until a stop has ended; time is not needed otherwise. */
async function expectEnd(stopping: Promise<void>, skip: (ms: number) => void): Promise<void> {
  let isStopped = false
  void stopping.then(() => (isStopped = true))
  let skippedMs = 0
  await waitFor(
    () => {
      if (isStopped) return true
      skip(1_000)
      skippedMs += 1_000
      return false
    },
    { what: 'the service to stop' },
  )
  expect(skippedMs).toBeLessThanOrEqual(20_000)
}
