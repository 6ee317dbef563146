/** Waiting between attempts: doubled, capped, jittered over the whole range. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backoffMs } from '../../../../runtime/handle/backoff.ts'
import { createManualClock } from '../../../harness/manual-clock.ts'

const POLICY = { baseDelayMs: 200, maxDelayMs: 30_000 }

it('doubles its ceiling with each attempt up to the cap', () => {
  const clock = createManualClock(() => 0.999_999_999)
  const waits = [1, 2, 3, 4, 8, 9, 40, 5_000].map((attempt) => Math.round(backoffMs(POLICY, attempt, clock)))
  expect(waits).toEqual([200, 400, 800, 1_600, 25_600, 30_000, 30_000, 30_000])
})

it('is jittered over the whole range, and finite whatever the policy', () => {
  const parts = fc.record({
    baseDelayMs: fc.integer({ min: 0, max: 1e9 }),
    maxDelayMs: fc.integer({ min: 0, max: 1e9 }),
    attempt: fc.integer({ min: 1, max: 1e6 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  fc.assert(
    fc.property(parts, ({ attempt, random, ...policy }) => {
      const ceiling = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** Math.min(attempt - 1, 30))
      const waitMs = backoffMs(
        policy,
        attempt,
        createManualClock(() => random),
      )
      expect(waitMs).toBeCloseTo(ceiling * random, 3)
      expect(waitMs).toBeLessThanOrEqual(policy.maxDelayMs)
    }),
  )
})
