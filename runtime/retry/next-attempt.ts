/** Where a failed attempt is followed by the next: in the lane, in a retry topic, or nowhere. Pure. */
import type { RetryPolicy } from '../agent.ts'
import type { Handover } from './handover.ts'

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  /** Attempts made in this run; 1 after the first. */
  readonly tried: number
  /** How the handling got here, where it was handed over. */
  readonly earlier: Pick<Handover, 'kind' | 'tries' | 'tier'> | undefined
  /** Shortest wait before the next attempt. */
  readonly waitMs: number
  /** Since the first attempt of this run began. */
  readonly spentMs: number
  /** The event holds up too many finished ones behind it. */
  readonly isPinning: boolean
}

/** A retry topic: how many have been passed when it ends, and its delay. */
export interface RetryTier {
  readonly tier: number
  readonly delayMs: number
}

/** The next attempt: in the lane after a wait, or from a tier. Undefined: there is none, it is a dead letter. */
export function nextAttempt(
  policy: Required<RetryPolicy>,
  { tried, earlier, waitMs, spentMs, isPinning }: FailedAttempt,
): { readonly waitMs: number } | RetryTier | undefined {
  if ((earlier?.tries ?? 0) + tried >= policy.maxAttempts) return undefined
  const passed = earlier?.tier ?? 0
  const tier = tierFor(policy.tiersMs, passed, waitMs)
  const isInTier = earlier?.kind === 'retry'
  const fitsLane = tried < policy.laneAttempts && spentMs + waitMs <= policy.laneMs && !isPinning
  // Without retry topics the lane is all there is: only the number of attempts ends it, unless it holds up others.
  if (policy.tiersMs.length === 0) return spentMs + waitMs <= policy.laneMs && !isPinning ? { waitMs } : undefined
  return fitsLane && !isInTier ? { waitMs } : tier
}

/** The next tier that waits long enough; the last one if none does. */
function tierFor(tiersMs: readonly number[], passed: number, waitMs: number): RetryTier | undefined {
  const left = tiersMs.slice(passed)
  const at = left.findIndex((delayMs) => delayMs >= waitMs)
  const index = at === -1 ? left.length - 1 : at
  const delayMs = left[index]
  return delayMs === undefined ? undefined : { tier: passed + index + 1, delayMs }
}
