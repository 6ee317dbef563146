/** The monkey's plan follows from the seed, holds what was asked for, and leaves the load time to begin and to end. */
import { describe, expect, it } from 'vitest'
import { actCounts, planActs } from '../../../chaos/monkey/plan.ts'

const MINUTE_MS = 60_000

describe('a plan', () => {
  it('is the same for the same seed, and another for another', () => {
    const plan = (seed: number): unknown => planActs(seed, MINUTE_MS, actCounts(1, 1))
    expect(plan(7)).toEqual(plan(7))
    expect(plan(7)).not.toEqual(plan(8))
  })

  it('of 20 minutes holds at least 40 kills and 5 restarts or wipes of servers', () => {
    const acts = planActs(1, 20 * MINUTE_MS, actCounts(20, 2))
    const count = (...kinds: readonly string[]): number => acts.filter(({ kind }) => kinds.includes(kind)).length
    expect(count('kill')).toBeGreaterThanOrEqual(40)
    expect(count('kafka', 'redis', 'wipe', 'registry')).toBeGreaterThanOrEqual(5)
    expect(count('wipe')).toBe(2)
  })

  it('is in order of time and within the run', () => {
    const times = planActs(3, MINUTE_MS, actCounts(1, 1)).map(({ atMs }) => atMs)
    expect(times).toEqual(times.toSorted((left, right) => left - right))
    expect(times.every((atMs) => atMs >= 0 && atMs <= MINUTE_MS * 0.9)).toBe(true)
  })

  it('never freezes a process or takes a server away for more than a quarter of the run', () => {
    const longest = planActs(5, MINUTE_MS, actCounts(20, 2)).map(({ forMs }) => forMs)
    expect(Math.max(...longest)).toBeLessThanOrEqual(MINUTE_MS / 4)
  })
})
