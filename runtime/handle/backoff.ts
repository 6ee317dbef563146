/** How long to wait before the next attempt. */
import type { Clock } from '../ports/clock.ts'

export interface BackoffPolicy {
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** @default 2 */
  readonly multiplier?: number
  /** @default 'full' */
  readonly jitter?: 'full' | 'none'
}

/**
 * Exponential backoff: min(max, base * multiplier^(attempt - 1)); with full jitter uniform from 0 to that.
 * @param attempt the attempt that failed, 1 = first
 * @source https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, clock: Clock): number {
  const { baseDelayMs, maxDelayMs, multiplier = 2, jitter = 'full' } = policy
  const ceilingMs = Math.min(maxDelayMs, baseDelayMs * multiplier ** Math.min(attempt - 1, 30))
  return jitter === 'none' ? ceilingMs : ceilingMs * clock.random()
}
