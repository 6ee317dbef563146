/** Several services on one memory stack: waiting for a live owner, taking over from a dead one, a store that is away, draining. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Agent } from '../../../../runtime/agent.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>

beforeEach(async () => {
  world = await memoryWorld()
})

afterEach(() => world.stop())

/** A handler that the test opens; it counts its runs. */
function gated(): { agent: Agent; runs: string[]; open: () => void } {
  const runs: string[] = []
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  const agent = testAgent({
    name: 'test.gated',
    consumes: 'test.in',
    produces: ['test.out'],
    handle: async (event: Note, { publish, signal }: TestContext) => {
      runs.push(event.text)
      await Promise.race([gate, new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))])
      publish('test.out', { text: event.text })
    },
  })
  return { agent, runs, open }
}

describe('two instances', () => {
  it('wait for a live owner after a rebalance instead of running its work again', async () => {
    const { agent, runs, open } = gated()
    await world.start([agent], { instance: 'first' })
    for (let index = 0; index < 30; index++) await world.publish('test.in', { text: `n${index}` })
    await waitFor(() => runs.length === 30, { what: 'all handlers to run' })
    await world.start([agent], { instance: 'second' })
    await waitFor(async () => (await world.store.leases.isAlive('second')) && runs.length >= 30)
    open()
    await world.untilCount('test.out', 30)
    await waitFor(async () => (await world.facts()).filter((fact) => fact.agent === 'test.gated').length >= 30)
    expect(runs).toHaveLength(30)
    expect(await world.events('test.out')).toHaveLength(30)
  })

  it('take over what a dead owner had claimed, counting the attempt up', async () => {
    const { agent, runs, open } = gated()
    const dead = await world.startMortal([agent], { instance: 'dead', leaseMs: 300, limits: limits(300) })
    const flowId = await world.publish('test.in', { text: 'x' })
    const claims = world.store.claimsOf('test.gated', { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
    const isClaimed = async (): Promise<boolean> =>
      (await claims.read([{ flowId, handlingId: flowId }]))[0]?.state === 'claimed'
    await waitFor(isClaimed, { what: 'the claim' })
    dead.kill()
    await world.start([agent], { instance: 'heir', leaseMs: 300, limits: limits(300) })
    await waitFor(() => runs.length === 2, { what: 'the take-over' })
    open()
    const [fact] = await world.untilFacts('completed', 1)
    expect(fact).toMatchObject({ instance: 'heir', attempt: 2 })
  })

  it('publish what a dead owner had computed, without running the handler again', async () => {
    const { agent, runs } = gated()
    const flowId = await world.publish('test.in', { text: 'x' })
    const [input] = await world.events('test.in')
    const claims = world.store.claimsOf('test.gated', { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
    const { encodeRecords } = await import('../../../../contracts/record-format.ts')
    const outputs = encodeRecords([
      {
        topic: 'test.out',
        key: Buffer.from(flowId),
        value: world.codec.encode('test.out', { text: 'recorded', count: 7 }),
        headers: {},
      },
    ])
    const position = { topic: 'test.in', partition: input?.partition ?? 0, offset: input?.offset ?? 0 }
    await claims.compute([{ flowId, handlingId: flowId, owner: 'dead', attempt: 1, from: 'absent', position, outputs }])
    await world.start([agent])
    const [out] = await world.untilCount('test.out', 1)
    const [fact] = await world.untilFacts('completed', 1)
    expect(out?.note).toEqual({ text: 'recorded', count: 7 })
    expect(fact?.detail).toMatchObject({ republished: 'true' })
    expect(runs).toHaveLength(0)
  })
})

describe('a store that does not answer', () => {
  it('makes work wait, shows as not ready, and is used again when it returns', async () => {
    const { agent, runs, open } = gated()
    open()
    const service = await world.start([agent])
    world.memoryStore.faults.unavailableFor(60_000)
    await world.publish('test.in', { text: 'x' })
    await waitFor(() => service.health.problems.some((problem) => problem.includes('store')), { what: 'not ready' })
    expect(service.health.isReady).toBe(false)
    expect(runs).toHaveLength(0)
    world.memoryStore.faults.unavailableFor(0)
    await world.untilCount('test.out', 1)
    await waitFor(() => service.health.isReady, { what: 'ready again' })
    expect(await world.events('test.gated.dead-letter')).toHaveLength(0)
  })

  it('whose answers get lost does not make anything happen twice', async () => {
    const { agent, open } = gated()
    open()
    await world.start([agent])
    for (let index = 0; index < 20; index++) {
      world.memoryStore.faults.loseAnswers(3)
      await world.publish('test.in', { text: `n${index}` })
    }
    await world.untilFacts('completed', 20)
    expect(await world.events('test.out')).toHaveLength(20)
  })
})

describe('a drain', () => {
  it('waits for running handlers and commits them', async () => {
    const { agent, runs, open } = gated()
    const service = await world.start([agent])
    await world.publish('test.in', { text: 'x' })
    await waitFor(() => runs.length === 1)
    const stopped = service.stop()
    expect(service.health.state).toBe('draining')
    open()
    await stopped
    expect(await world.events('test.out')).toHaveLength(1)
    const committed = await world.broker.admin.groupOffsets('test.gated', ['test.in'])
    expect(committed.reduce((sum, { offset }) => sum + offset, 0)).toBe(1)
  })

  it('aborts what does not end in time and leaves it to the next instance at once', async () => {
    const { agent, runs, open } = gated()
    const service = await world.start([agent], { drainTimeoutMs: 10 })
    const flowId = await world.publish('test.in', { text: 'x' })
    const claims = world.store.claimsOf('test.gated', { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
    const stateOf = async () => (await claims.read([{ flowId, handlingId: flowId }]))[0]
    await waitFor(async () => (await stateOf())?.state === 'claimed', { what: 'the claim' })
    await service.stop()
    expect(await stateOf()).toMatchObject({ state: 'claimed', owner: '' })
    open()
    await world.start([agent])
    await world.untilCount('test.out', 1)
    expect(runs).toHaveLength(2)
  })
})

function limits(sessionTimeoutMs: number) {
  return {
    maxOpen: 1_000,
    maxOpenBytes: 1_000_000,
    commitIntervalMs: 50,
    sessionTimeoutMs,
    heartbeatIntervalMs: sessionTimeoutMs / 3,
  }
}
