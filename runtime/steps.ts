/** What a handler says of its steps: calls whose results outlive a crash of the process. Interface only. */

/** What the function of a step is told. */
export interface StepCall {
  /** Aborted with the attempt's signal and by the step's own time-out. Pass it to everything that waits. */
  readonly signal: AbortSignal
  /** 1 = first try of this call. */
  readonly tried: number
}

/** Tries of one step, within one attempt of its handling. A `terminal()` error is never tried again. */
export interface StepRetry {
  /** Tries in all. @default 1 */
  readonly maxAttempts?: number
  /** First backoff. @default 200 */
  readonly baseDelayMs?: number
  /** Each backoff is so many times the one before. @default 2 */
  readonly multiplier?: number
  /** Longest backoff. @default 30000 */
  readonly maxDelayMs?: number
  /** `full`: uniform between 0 and the backoff. `none`: the backoff itself. @default 'full' */
  readonly jitter?: 'full' | 'none'
}

/** Options of one step. */
export interface StepOptions<T> {
  /**
   * The result is acknowledged on the log before `step` returns: it outlives a lost Redis. For what costs money or minutes; takes
   * one more round trip to the broker. @default false
   */
  readonly durable?: boolean
  /** Longest try; then its signal aborts and the try has failed. @default the time left to the attempt */
  readonly timeoutMs?: number
  readonly retry?: StepRetry
  /** What it cost, in the unit the agent counts in; a number, or taken from the result. Shown by `laban flow`. */
  readonly cost?: number | ((result: T) => number)
}

/** What `reconcile` answers: what the effect has led to, or nothing when it has not happened. */
export type Reconciled<T> = { readonly found: T } | undefined

/** Options of one effect. It is always durable. */
export interface EffectOptions<T> extends Omit<StepOptions<T>, 'durable'> {
  /**
   * Asks the outside world whether the effect with this key has happened. Called before the function runs again after a try whose
   * outcome is not known: the process died in it, or it threw.
   */
  readonly reconcile?: (key: string, call: StepCall) => Reconciled<T> | Promise<Reconciled<T>>
  /**
   * How long the outside world knows the key of a first try. Without `reconcile`, an effect whose outcome is still unknown after
   * that is not run again: the handling is dead-lettered. @default 86400000 (24 h)
   */
  readonly keyValidForMs?: number
}

/**
 * Runs a function once and keeps its result: every later attempt, on any instance, gets the kept result and does not run it again.
 * What it returns is always a copy that went through JSON; undefined, bigint, Date, bytes, NaN and infinities come back as they were.
 *
 * - A step is its name: unique in its handling, at most 200 bytes. In a loop put the index into it: `page-3`.
 * - Steps may run at the same time. A function that throws is not recorded; its error is what `step` rejects with.
 * - At most 64 KiB of result as text (`steps.maxResultBytes`); more goes to `steps.resultsDir`, where that is set.
 * @throws LABAN_STEP_TIMEOUT, LABAN_STEP_RESULT, LABAN_STEP_RESULT_TOO_LARGE, LABAN_STEP_MISUSE (a name twice, no await),
 * LABAN_STEP_MISMATCH (the sequence of steps is not the recorded one), and with the signal's reason when the attempt has ended
 * @example
 * const analysis = await step('analyse', ({ signal }) => analyse(event.findings, signal), { durable: true, timeoutMs: 120_000 })
 */
export type RunStep = <T>(
  name: string,
  fn: (call: StepCall) => T | Promise<T>,
  options?: StepOptions<NoInfer<T>>,
) => Promise<T>

/**
 * A step that changes the world outside. The function gets an idempotency key that is the same on every attempt, also after an edit
 * or a redrive of the event: it derives from the first event's id, the agent and the name. That the effect was begun is on the log
 * before the function is called, its result before `effect` returns.
 * @throws as a step, and LABAN_EFFECT_OUTCOME_UNKNOWN
 * @example
 * const charge = await effect('charge', (key, { signal }) => cards.charge(event.card, event.cents, { key, signal }), {
 *   reconcile: async (key) => { const found = await cards.findCharge(key); return found && { found } },
 * })
 */
export type RunEffect = <T>(
  name: string,
  fn: (key: string, call: StepCall) => T | Promise<T>,
  options?: EffectOptions<T>,
) => Promise<T>

/** How long: milliseconds from the first call on, or until a point in time. */
export type SleepTime = number | { readonly untilMs: number }

/**
 * Waits for milliseconds or for weeks. When it ends is recorded at its first call and stays, whatever happens to the process. Up to
 * 5 s it waits in memory. A longer one suspends the handling once no step is running: its signal aborts, what it would have published
 * is dropped, and nothing of it stays in memory. When the time has come any instance begins a new attempt, in which steps and sleeps
 * that are over return what was recorded. So everything before a sleep that must not happen twice belongs into a step.
 *
 * Later events of the same key wait meanwhile, unless the agent says `order: 'none'`.
 * @throws LABAN_STEP_MISUSE (a name twice, a time that is no number), LABAN_STEP_MISMATCH, and with the signal's reason when the
 * attempt has ended, also by being suspended: `finally` blocks run
 * @example
 * await sleep('cooling-off', 7 * 86_400_000)
 */
export type RunSleep = (name: string, time: SleepTime) => Promise<void>
