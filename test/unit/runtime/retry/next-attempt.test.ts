/** Where the next attempt is made: the lane, a retry topic, nowhere. */
import { describe, expect, it } from 'vitest'
import { nextAttempt, type FailedAttempt } from '../../../../runtime/retry/next-attempt.ts'

const POLICY = {
  maxAttempts: 8,
  laneAttempts: 5,
  laneMs: 1_000,
  tiersMs: [60, 600, 3_600],
  baseDelayMs: 1,
  maxDelayMs: 10,
}
const FAILED: FailedAttempt = { tried: 1, earlier: undefined, waitMs: 10, spentMs: 0, isPinning: false }
const inTier = (tier: number, tries: number) => ({ earlier: { kind: 'retry' as const, tier, tries } })

describe('the next attempt', () => {
  it.each<[string, Partial<FailedAttempt>, object | undefined]>([
    ['in the lane', {}, { waitMs: 10 }],
    ['in the lane for the last time', { tried: 4 }, { waitMs: 10 }],
    ['in the first tier once the attempts of the lane are used', { tried: 5 }, { tier: 1, delayMs: 60 }],
    ['in the first tier once the time of the lane is used', { spentMs: 991 }, { tier: 1, delayMs: 60 }],
    ['in the first tier when it holds others up', { isPinning: true }, { tier: 1, delayMs: 60 }],
    ['in the first tier that waits as long as was asked for', { waitMs: 2_000 }, { tier: 3, delayMs: 3_600 }],
    ['in the last tier when none waits so long', { waitMs: 9_999 }, { tier: 3, delayMs: 3_600 }],
    ['in the next tier after one', inTier(1, 5), { tier: 2, delayMs: 600 }],
    ['nowhere after the last tier', inTier(3, 6), undefined],
    ['nowhere after the last attempt', inTier(1, 7), undefined],
    ['in the lane again after a redrive', { earlier: { kind: 'redrive', tier: 0, tries: 0 } }, { waitMs: 10 }],
  ])('is %s', (_where, attempt, expected) => {
    expect(nextAttempt(POLICY, { ...FAILED, ...attempt })).toEqual(expected)
  })

  it('stays in the lane as long as it may when there are no retry topics', () => {
    const policy = { ...POLICY, tiersMs: [] }
    expect(nextAttempt(policy, { ...FAILED, tried: 6 })).toEqual({ waitMs: 10 })
    expect(nextAttempt(policy, { ...FAILED, tried: 6, spentMs: 991 })).toBeUndefined()
    expect(nextAttempt(policy, { ...FAILED, tried: 8 })).toBeUndefined()
  })
})
