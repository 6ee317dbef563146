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

/** Longer than any request and its repetitions may take: connections of kafkajs have been seen to wait for ever. */
const LONGEST_MS = 60_000

/** What `work` settles with; rejects with what `late` makes when that takes too long. */
export async function inTime<T>(work: Promise<T>, clock: Clock, late: (afterMs: number) => Error): Promise<T> {
  let hasSettled = false
  const settled = work.finally(() => {
    hasSettled = true
  })
  await atMost(settled, clock, LONGEST_MS)
  if (hasSettled) return settled
  settled.catch(() => undefined)
  throw late(LONGEST_MS)
}
