/** What the log says of how agents get on, compared with what the agents were made to do. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { terminal } from '../../../../runtime/outcomes.ts'
import { AgentWatch, type AgentFigures } from '../../../../runtime/readback/agent-watch.ts'
import { memoryWorld, testAgent, testContracts, type Note, type TestContext } from '../../../harness/world.ts'
import { createSkippingClock } from '../../../harness/skipping-clock.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let clock: ReturnType<typeof createSkippingClock>
let watch: AgentWatch

beforeEach(async () => {
  world = await memoryWorld()
  clock = createSkippingClock()
  const { broker, codec } = world
  watch = new AgentWatch({ broker, codec, contracts: testContracts }, clock)
})
afterEach(() => world.stop())

const copier = (handle: (event: Note, context: TestContext) => void | Promise<void>) =>
  testAgent({ name: 'test.copy', consumes: 'test.in', produces: { maybe: ['test.out'] }, handle })

async function figures(): Promise<AgentFigures> {
  const found = (await watch.look()).find(({ agent }) => agent === 'test.copy')
  if (found === undefined) throw new Error('nobody has announced test.copy')
  return found
}

describe('the watch', () => {
  it('counts accepted completions per second since it began', async () => {
    await world.start([copier(({ text }, { publish }) => void publish('test.out', { text }))])
    await figures()
    for (let count = 0; count < 20; count++) await world.publish('test.in', { count })
    await world.untilFacts('completed', 20)
    clock.skip(4_000)
    const { completedPerSecond, lag, state, instances, drainMs } = await waitFor(async () => {
      const found = await figures()
      return found.lag === 0 && found
    })
    expect(completedPerSecond).toBeGreaterThan(3)
    expect(completedPerSecond).toBeLessThanOrEqual(5)
    expect({ lag, state, instances, drainMs }).toEqual({ lag: 0, state: 'running', instances: 1, drainMs: 0 })
  })

  it('says that an agent stands still when it has lag and finishes nothing, and how old the oldest is', async () => {
    let open = (): void => undefined
    const held = new Promise<void>((resolve) => (open = resolve))
    await world.start([copier(() => held)])
    await figures()
    for (let count = 0; count < 5; count++) await world.publish('test.in', { count })
    await waitFor(async () => (await figures()).lag === 5)
    clock.skip(7_000)
    const found = await figures()
    expect(found).toMatchObject({ state: 'stands still', lag: 5, completedPerSecond: 0, drainMs: null })
    expect(found.oldestMs).toBeGreaterThanOrEqual(7_000)
    open()
  })

  it('counts dead letters that are open, and forgets rates that are older than its window', async () => {
    await world.start([
      copier(({ text }) => {
        if (text === 'bad') throw terminal('no')
      }),
    ])
    await figures()
    await world.publish('test.in', { text: 'bad' })
    await world.publish('test.in', { text: 'good' })
    await world.untilFacts('dead-lettered', 1)
    await world.untilFacts('completed', 1)
    clock.skip(16_000)
    expect(await figures()).toMatchObject({ deadLetters: 1 })
    clock.skip(11_000)
    expect((await figures()).completedPerSecond).toBe(0)
  })

  it('calls an agent silent when nobody has heard of it for 30 s', async () => {
    const { kill } = await world.startMortal([copier(() => undefined)])
    kill()
    expect(await figures()).toMatchObject({ state: 'running', instances: 1 })
    clock.skip(31_000)
    expect(await figures()).toMatchObject({ state: 'silent', instances: 0 })
  })
})
