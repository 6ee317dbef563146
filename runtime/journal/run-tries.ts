/** Calls the function of a step until it succeeds, its tries are used up, or the attempt has ended. */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { Cancellation } from '../ports/cancellation.ts'
import { delay, settledWithin, type Clock } from '../ports/clock.ts'
import type { StepCall, StepRetry } from '../steps.ts'

export interface TriesOptions {
  readonly agent: string
  readonly step: string
  readonly clock: Clock
  /** Of the attempt. */
  readonly cancellation: Cancellation
  readonly timeoutMs: number | undefined
  /** How long a try that has timed out may take to settle before it is left. */
  readonly abortGraceMs: number
  readonly retry: Required<StepRetry>
  readonly backoffMs: (policy: Required<StepRetry>, tried: number) => number
}

/**
 * The first success. A try that has timed out but ends well within the grace counts: what it brought was paid for.
 * @throws what the last try threw, LABAN_STEP_TIMEOUT, or the reason of the attempt's end while it waits for the next try
 */
export async function runTries<T>(options: TriesOptions, call: (call: StepCall) => T | Promise<T>): Promise<T> {
  const { clock, cancellation, retry, backoffMs } = options
  for (let tried = 1; ; tried++) {
    try {
      return await runOnce(options, tried, call)
    } catch (error) {
      if (cancellation.reason !== undefined || tried >= retry.maxAttempts || isFinal(error)) throw error
      await delay(clock, Math.max(backoffMs(retry, tried), wantedDelayMs(error)), cancellation.signal)
      throwIfCancelled(cancellation)
    }
  }
}

/** @throws LABAN_LEASE_LOST, LABAN_PARTITION_REVOKED, LABAN_ATTEMPT_ENDED, LABAN_SHUTDOWN */
export function throwIfCancelled({ reason, signal }: Cancellation): void {
  if (reason !== undefined) throw signal.reason
}

async function runOnce<T>(options: TriesOptions, tried: number, call: (call: StepCall) => T | Promise<T>): Promise<T> {
  const { clock, cancellation, timeoutMs, abortGraceMs } = options
  if (timeoutMs === undefined) return call({ signal: cancellation.signal, tried })
  const controller = new AbortController()
  const error = new LabanError('LABAN_STEP_TIMEOUT', { agent: options.agent, step: options.step, timeoutMs })
  const follow = (): void => controller.abort(cancellation.signal.reason)
  const stopListening = cancellation.onCancel(follow)
  let isLate = false
  const cancel = clock.after(timeoutMs, () => {
    isLate = true
    controller.abort(error)
  })
  try {
    const running = Promise.resolve(call({ signal: controller.signal, tried }))
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    const settling = running.then(settle, settle)
    await settledWithin(settling, { signal: controller.signal })
    if (isLate) await settledWithin(settling, { clock, withinMs: abortGraceMs })
    if (isLate && !isSettled) throw error
    return await running
  } catch (thrown) {
    throw isLate && cancellation.reason === undefined ? error : thrown
  } finally {
    cancel()
    stopListening()
  }
}

function isFinal(error: unknown): boolean {
  return isLabanError(error) && (error.errorClass === 'terminal' || error.errorClass === 'control')
}

/** What the failed call itself asked for, as a `Retry-After` does. */
function wantedDelayMs(error: unknown): number {
  const wanted = isLabanError(error) ? error.details['retryAfterMs'] : undefined
  return typeof wanted === 'number' ? wanted : 0
}
