/** Sleeping handlers on a memory stack: short sleeps in memory, long ones on the log, through deaths and lost stores. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSkippingClock } from '../../../harness/skipping-clock.ts'
import { memoryWorld } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'
import { agentOf, Runs } from './step-agents.ts'

const DAY_MS = 86_400_000

let world: Awaited<ReturnType<typeof memoryWorld>>
let runs: Runs

beforeEach(async () => {
  world = await memoryWorld()
  runs = new Runs()
})

afterEach(() => world.stop())

/** Does something, sleeps, does something else. */
const sleeper = (sleepMs: number, policies: object = {}) =>
  agentOf(async ({ step, sleep, publish }, { text }) => {
    await step(`before`, runs.note(`before ${text}`, 1), { durable: true })
    if (text.startsWith('s')) await sleep('night', sleepMs)
    await step('after', runs.note(`after ${text}`, 2))
    publish('test.out', { text })
  }, policies)

const texts = async (): Promise<string[]> => (await world.events('test.out')).map(({ note }) => note?.text ?? '')

describe('a short sleep', () => {
  it('waits in memory, in the same attempt', async () => {
    await world.start([sleeper(30)])
    await world.publish('test.in', { text: 's' })
    const [fact] = await world.untilFacts('completed', 1)
    expect(fact?.attempt).toBe(1)
    expect(fact?.steps.map(({ name }) => name)).toEqual(['before', 'night', 'after'])
    expect((fact?.endedAtMs ?? 0) - (fact?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(30)
    expect(await world.events('test.stepper.timers')).toEqual([])
  })
})

describe('a long sleep', () => {
  it('suspends the handling, whose next attempt goes on behind it', async () => {
    const clock = createSkippingClock()
    const service = await world.start([sleeper(21 * DAY_MS)], { clock })
    const id = await world.publish('test.in', { text: 's' })
    const [suspended] = await world.untilFacts('suspended', 1)
    expect(suspended).toMatchObject({ attempt: 1, handlingId: id, detail: { sleep: 'night' } })
    await waitFor(() => service.health.agents[0]?.sleeping === 1, { what: 'the timer to be kept' })
    expect(service.health.agents[0]).toMatchObject({ running: 0, open: 0 })
    clock.skip(20 * DAY_MS)
    await waitFor(() => service.health.isReady)
    expect(await texts()).toEqual([])
    clock.skip(DAY_MS)
    const [completed] = await world.untilFacts('completed', 1)
    expect(runs.names).toEqual(['before s', 'after s'])
    expect(completed).toMatchObject({ attempt: 2 })
    expect(completed?.steps.map(({ name, replayed }) => `${name} ${replayed}`)).toEqual([
      'before true',
      'night true',
      'after false',
    ])
    await waitFor(() => service.health.agents[0]?.sleeping === 0, { what: 'the timer to end' })
  })
})
