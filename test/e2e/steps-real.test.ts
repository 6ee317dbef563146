/** Handlers whose process is killed between and inside their steps, on the real servers: what is paid for is paid once. */
import { describe, expect, it } from 'vitest'
import { dieAtPoints } from './agents/step-deaths.ts'

/** A handful; `node --conditions=laban-source test/trials/kill-steps.ts` goes through all of them. */
const POINTS = ['received:model', 'before:2', 'after:2', 'answered:charge', 'received:record', 'after:12']

describe('a handler with a model call, a charge and a record, killed in the middle', { timeout: 120_000 }, () => {
  it('calls the model again only when its answer was not on the log, charges once and records once', async () => {
    const deaths = await dieAtPoints(POINTS, 6_000)
    expect(deaths.filter(({ violations }) => violations.length > 0)).toEqual([])
    expect(Object.fromEntries(deaths.map(({ point, modelCalls }) => [point, modelCalls]))).toEqual({
      'received:model': 2,
      // On a slow machine a fact that it runs comes in between, and the death before the model.
      'before:2': expect.toBeOneOf([1, 2]) as unknown,
      'after:2': 1,
      'answered:charge': 1,
      'received:record': 1,
      'after:12': 1,
    })
  })
})
