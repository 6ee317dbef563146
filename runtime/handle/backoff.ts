/** How long to wait before the next attempt. */
import type { Clock } from '../ports/clock.ts'

export interface BackoffPolicy {
  readonly baseDelayMs: number
  readonly maxDelayMs: number
}

/**
 * Exponential backoff with full jitter: uniform in [0, min(max, base * 2^(attempt - 1))).
 * @param attempt the attempt that failed, 1 = first
 * @source https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, clock: Clock): number {
  const ceiling = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** Math.min(attempt - 1, 30))
  return ceiling * clock.random()
}
