/** Waiting with a limit that leaves nothing behind. */
import { delay, type Clock } from '../../ports/clock.ts'

/** Waits for `work`, not longer than this; the timer ends with it, because it would keep a process alive that has nothing to do. */
export async function atMost(work: Promise<unknown>, clock: Clock, timeoutMs: number): Promise<void> {
  const over = new AbortController()
  try {
    await Promise.race([work, delay(clock, timeoutMs, over.signal)])
  } finally {
    over.abort()
  }
}
