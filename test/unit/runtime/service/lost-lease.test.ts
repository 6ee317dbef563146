/** A process that lost its lease and lives on: what it had claimed goes on somewhere, whoever has the records by now. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>

beforeEach(async () => {
  world = await memoryWorld()
})

afterEach(() => world.stop())

it('gives up claims on records that a rebalance has taken from it', async () => {
  const EVENTS = 30
  let starts = 0
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  const agent = testAgent({
    ...{ name: 'test.gated', consumes: 'test.in', produces: ['test.out'] },
    handle: async (event: Note, { publish, signal }: TestContext) => {
      starts++
      await Promise.race([gate, new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))])
      publish('test.out', event)
    },
  })
  const claims = world.store.claimsOf('test.gated', { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
  let hasLapsed = false
  const { leases } = world.store
  // The lease lapsed and was taken again between two looks of the others: to them its owner has always been alive.
  const renew = async (instance: string, leaseMs: number): Promise<boolean> => {
    const held = await leases.renew(instance, leaseMs)
    return held && !hasLapsed
  }
  const store = { ...world.store, leases: { ...leases, renew } }
  await world.start([agent], { instance: 'first', leaseMs: 300, store })
  const ids: string[] = []
  for (let index = 0; index < EVENTS; index++) ids.push(await world.publish('test.in', { text: `n${index}` }))
  const areClaimed = async (): Promise<boolean> => {
    const states = await claims.read(ids.map((flowId) => ({ flowId, handlingId: flowId })))
    return states.every(({ state }) => state === 'claimed')
  }
  await waitFor(areClaimed, { what: 'every claim' })
  const second = await world.start([agent], { instance: 'second', leaseMs: 300 })
  await waitFor(() => (second.health.agents[0]?.running ?? 0) > 0, { what: 'the second to have records' })
  hasLapsed = true
  await waitFor(() => starts > EVENTS, { what: 'the work to begin again' })
  hasLapsed = false
  open()
  await world.untilCount('test.out', EVENTS)
  await world.untilFacts('completed', EVENTS)
  expect(await world.events('test.out')).toHaveLength(EVENTS)
})
