/**
 * A process that is killed between any two steps of the way of its records, with many of them in flight, or that freezes and wakes
 * up when others have done its work, leaves one content per id and no event without its output.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DeathTrial } from './agents/death-trial.ts'

let trial: DeathTrial

beforeAll(async () => {
  trial = await DeathTrial.make(2_000)
}, 60_000)
afterAll(() => trial.close(), 60_000)

/** One of the points that `npm run bench -- deaths` goes through with a thousand in flight. */
it('killed after its results were recorded and before they are published', async () => {
  const { violations, inFlight } = await trial.die('after compute', 200)
  expect(violations).toEqual([])
  expect(inFlight).toBeGreaterThan(20)
})

it('frozen until its work has been taken over and done', async () => {
  const { violations, reruns } = await trial.freeze(3_000, 200)
  expect(violations).toEqual([])
  expect(reruns).toBeGreaterThan(20)
})
