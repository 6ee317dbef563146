/** Waiting in tests: for a condition, never for a time. A condition that does not come is named in the failure. */

/** How long to wait, and for what. */
export interface WaitOptions {
  /** @default 5000 */
  readonly timeoutMs?: number
  /** What is awaited, for the message of the failure. */
  readonly what?: string
}

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 50

/**
 * Resolves with the first value of `condition` that is neither false, null nor undefined; looks again ever more slowly, up to
 * every 50 ms. A condition that throws counts as not yet met; its last error is the cause of the failure.
 * @throws Error naming `what` after `timeoutMs`
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { timeoutMs = 5_000, what = condition.toString() } = options
  const deadlineAtMs = performance.now() + timeoutMs
  let cause: unknown
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const value = await condition()
      if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadlineAtMs) throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}`, { cause })
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
