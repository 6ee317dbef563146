/** One attempt: the agent's function under a deadline and a cancellation, its outputs kept back until it has succeeded. */
import { LabanError } from '../../contracts/errors.ts'
import type { ProcessSpan } from '../../tracing/event-tracer.ts'
import { Cancellation, type CancelReason } from '../ports/cancellation.ts'
import type { Clock } from '../ports/clock.ts'
import { classify, type Failure } from './classify.ts'
import type { Output, OutputCollector } from './output-collector.ts'

export interface AttemptOptions {
  readonly agent: string
  readonly timeoutMs: number
  readonly clock: Clock
  /** Cancelled from outside: revocation, lost lease, shutdown, superseded by another owner. */
  readonly cancellation: Cancellation
  readonly span: ProcessSpan
  readonly collector: OutputCollector
  /** Called when the function has succeeded; what it throws makes the attempt a failed one. */
  readonly check?: () => void
  /** The agent's function with its event and context. */
  readonly invoke: (attempt: Cancellation, deadlineAtMs: number) => void | Promise<void>
}

export type AttemptResult =
  | { readonly kind: 'succeeded'; readonly outputs: readonly Output[] }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly settled: Promise<void> }
  | { readonly kind: 'cancelled'; readonly reason: CancelReason; readonly settled: Promise<void> }

const SETTLED = Promise.resolve()

/**
 * Runs the function once; a function that is not asynchronous has its result at once. Never rejects. `settled` resolves when the
 * function itself has ended, which may be later.
 */
export function runAttempt(options: AttemptOptions): AttemptResult | Promise<AttemptResult> {
  const attempt = new Cancellation()
  const deadlineAtMs = options.clock.nowMs() + options.timeoutMs
  let running: void | Promise<void>
  try {
    running = options.span.run(() => options.invoke(attempt, deadlineAtMs))
  } catch (error) {
    return failed(options, error)
  }
  if (!isPromise(running)) return succeeded(options)
  return raceAttempt(options, attempt, Promise.resolve(running))
}

function raceAttempt(options: AttemptOptions, attempt: Cancellation, running: Promise<void>): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const settled = running.then(
      () => undefined,
      () => undefined,
    )
    const stopTimer = options.clock.after(options.timeoutMs, () => attempt.cancel('timeout'))
    const stopListening = options.cancellation.onCancel((reason) => attempt.cancel(reason))
    attempt.onCancel((reason) => {
      stopTimer()
      if (reason !== 'timeout') return resolve({ kind: 'cancelled', reason, settled })
      const error = new LabanError('LABAN_HANDLER_TIMEOUT', { agent: options.agent, timeoutMs: options.timeoutMs })
      resolve({ kind: 'failed', failure: { kind: 'retry', error }, settled })
    })
    running.then(
      () => resolve(attempt.reason === undefined ? succeeded(options) : failed(options, undefined)),
      (error: unknown) => resolve(failed(options, error)),
    )
    void settled.then(() => {
      stopTimer()
      stopListening()
    })
  })
}

function succeeded(options: AttemptOptions): AttemptResult {
  try {
    options.check?.()
    return { kind: 'succeeded', outputs: options.collector.seal() }
  } catch (error) {
    return failed(options, error)
  }
}

function failed(options: AttemptOptions, error: unknown): AttemptResult {
  const { reason } = options.cancellation
  if (reason !== undefined) return { kind: 'cancelled', reason, settled: SETTLED }
  return { kind: 'failed', failure: classify(options.agent, error, options.clock.nowMs()), settled: SETTLED }
}

function isPromise(value: void | Promise<void>): value is Promise<void> {
  // A handler in JavaScript may return anything, null included.
  return typeof value === 'object' && value !== null && typeof value.then === 'function'
}
