/** A version with other steps takes over a handling that an older one had begun. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Agent } from '../../../../runtime/agent.ts'
import { waitFor } from '../../../harness/wait.ts'
import { memoryWorld } from '../../../harness/world.ts'
import { agentOf, dieThenRun, Runs } from './step-agents.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let runs: Runs

beforeEach(async () => {
  world = await memoryWorld()
  runs = new Runs()
})

afterEach(() => world.stop())

describe('a new version with other steps', () => {
  const version = (names: readonly string[], policies: object = {}): Agent =>
    agentOf(async ({ step, publish }) => {
      for (const name of names) await step(name, name === 'hang' ? runs.hang(name) : runs.note(name, name))
      publish('test.out', { text: 'out' })
    }, policies)

  it('that are appended goes on', async () => {
    await dieThenRun(
      world,
      version(['a', 'b', 'hang']),
      () => runs.names.includes('hang'),
      version(['a', 'b', 'c', 'd']),
    )
    await world.untilCount('test.out', 1)
    expect(runs.names).toEqual(['a', 'b', 'hang', 'c', 'd'])
  })

  it('goes on with everything that runs when it is deployed, and repeats nothing', async () => {
    const count = 100
    const old = await world.start([version(['a', 'b', 'hang'])], { instance: 'old', drainTimeoutMs: 0 })
    for (let index = 0; index < count; index++) await world.publish('test.in', { text: String(index) })
    const hanging = (): boolean => runs.names.filter((name) => name === 'hang').length === count
    await waitFor(hanging, { what: 'all to hang' })
    await world.start([version(['a', 'b', 'c'])], { instance: 'new' })
    await old.stop()
    await world.untilFacts('completed', count)
    const ran = Map.groupBy(runs.names, (name) => name)
    expect([...ran].map(([name, of]) => [name, of.length])).toEqual(
      ['a', 'b', 'hang', 'c'].map((name) => [name, count]),
    )
  })

  it.each([
    ['inserted', ['a', 'new', 'b'], 'recorded [a, b], now [a, new]'],
    ['renamed', ['a', 'B'], 'recorded [a, b], now [a, B]'],
    ['removed', ['a'], 'recorded [a, b], now [a]'],
  ])('of which one was %s is parked, naming both sequences, before anything new runs', async (_, names, words) => {
    await dieThenRun(world, version(['a', 'b', 'hang']), () => runs.names.includes('hang'), version(names))
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({
      errorCode: 'LABAN_STEP_MISMATCH',
      errorMessage: expect.stringContaining(words) as string,
    })
    expect(runs.names).toEqual(['a', 'b', 'hang'])
    expect(await world.events('test.out')).toEqual([])
  })

  it('runs them again where the agent says restart; effects stay done', async () => {
    const restarting = (isFirst: boolean) =>
      agentOf(
        async ({ step, effect, publish }) => {
          await step(isFirst ? 'a' : 'A', runs.note(isFirst ? 'a' : 'A', 1))
          await effect('charge', runs.note('charge', 2))
          if (isFirst) await step('hang', runs.hang('hang'))
          await step('b', runs.note('b', 3))
          publish('test.out', { text: 'out' })
        },
        { onStepMismatch: 'restart' },
      )
    await dieThenRun(world, restarting(true), () => runs.names.includes('hang'), restarting(false))
    await world.untilCount('test.out', 1)
    expect(runs.names).toEqual(['a', 'charge', 'hang', 'A', 'b'])
  })

  it('that a step replaced after it had failed, in the same version, is no mismatch', async () => {
    const handle = (isFirst: boolean) =>
      agentOf(async ({ step, publish }) => {
        const answer = await step('first-model', () => {
          runs.names.push('first-model')
          throw new Error('overloaded')
        }).catch(() => step('second-model', runs.note('second-model', 'answer')))
        if (isFirst) await step('hang', runs.hang('hang'))
        publish('test.out', { text: answer })
      })
    await dieThenRun(world, handle(true), () => runs.names.includes('hang'), handle(false))
    await world.untilCount('test.out', 1)
    expect(runs.names).toEqual(['first-model', 'second-model', 'hang', 'first-model'])
  })
})
