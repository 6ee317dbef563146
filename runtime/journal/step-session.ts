/**
 * The steps of one attempt: replays what is recorded, runs and records what is not. The rule: a result is recorded before the
 * handler sees it, and that an effect has begun before its function is called.
 */
import type { FactStep } from '../../contracts/fact.ts'
import { LabanError } from '../../contracts/errors.ts'
import { effectKey, type Uuid } from '../../contracts/ids.ts'
import type { Cancellation } from '../ports/cancellation.ts'
import type { Clock } from '../ports/clock.ts'
import type { EffectOptions, SleepTime, StepCall, StepOptions, StepRetry } from '../steps.ts'
import type { JournalEntry } from './entry-format.ts'
import type { HandlingJournal, NewEntry } from './handling-journal.ts'
import { runTries, throwIfCancelled } from './run-tries.ts'
import { Sleepers, type Slept } from './sleepers.ts'
import { recordedSequence, StepSequence, type StepPlace } from './step-sequence.ts'
import { decodeValue, encodeValue, ValueProblem } from '../../contracts/value-format.ts'

export interface StepSessionOptions {
  readonly agent: string
  /** First id of the handled event: effect keys derive from it. */
  readonly originId: Uuid
  readonly clock: Clock
  /** Of the attempt. */
  readonly cancellation: Cancellation
  readonly abortGraceMs: number
  readonly backoffMs: (policy: Required<StepRetry>, tried: number) => number
  /** The sleep whose end has begun this attempt: it is over also where its record is lost. */
  readonly slept?: Slept | undefined
}

/** One call of `step` or `effect`. */
interface Call<T> {
  readonly kind: 'step' | 'effect'
  readonly name: string
  readonly place: StepPlace
  readonly isDurable: boolean
  readonly options: StepOptions<T>
  /** Runs one try. `isUncertain`: an earlier one may have had its effect. */
  readonly run: (call: StepCall, uncertainSinceMs: number | undefined) => Promise<T> | T
}

const MAX_NAME_BYTES = 200
const ONE_TRY = { maxAttempts: 1, baseDelayMs: 200, multiplier: 2, maxDelayMs: 30_000, jitter: 'full' } as const
const KEY_VALID_FOR_MS = 86_400_000
/** A cancelled attempt of a living owner still records what it has paid for; one whose claim is gone does not. */
const FENCING_REASONS: ReadonlySet<string> = new Set(['lease-lost', 'superseded'])

/** See the file's head. */
export class StepSession {
  readonly #options: StepSessionOptions
  readonly #journal: Promise<HandlingJournal>
  readonly #sequence = new StepSequence()
  readonly #sleepers: Sleepers
  readonly #facts: FactStep[] = []
  #attach: (journal: HandlingJournal) => void = () => undefined
  #attached: HandlingJournal | undefined
  #mismatch: LabanError | undefined
  #isClosed = false

  constructor(options: StepSessionOptions) {
    this.#options = options
    this.#journal = new Promise((resolve) => (this.#attach = resolve))
    this.#sleepers = new Sleepers({ ...options, isBusy: () => this.#sequence.runningCount > 0 })
  }

  /** Steps that have a result, in the order in which the handler got them. */
  get facts(): readonly FactStep[] {
    return this.#facts
  }

  /** The sleep for which the attempt was suspended: the one that ends first. */
  get suspendedFor(): Slept | undefined {
    return this.#sleepers.first
  }

  /** Gives the journal of the execution: no step goes on before. */
  attach(journal: HandlingJournal): void {
    this.#attached = journal
    this.#attach(journal)
  }

  /** See `RunStep` in steps.ts. */
  step<T>(name: string, fn: (call: StepCall) => T | Promise<T>, options: StepOptions<T> = {}): Promise<T> {
    return this.#call({ kind: 'step', name, isDurable: options.durable ?? false, options, run: fn })
  }

  /** See `RunEffect` in steps.ts. */
  effect<T>(
    name: string,
    fn: (key: string, call: StepCall) => T | Promise<T>,
    options: EffectOptions<T> = {},
  ): Promise<T> {
    const { reconcile, keyValidForMs = KEY_VALID_FOR_MS } = options
    const key = effectKey(this.#options.agent, this.#options.originId, name)
    const run: Call<T>['run'] = async (call, uncertainSinceMs) => {
      if (uncertainSinceMs !== undefined) {
        if (reconcile === undefined) this.#checkKey(name, key, uncertainSinceMs, keyValidForMs)
        else {
          const reconciled = await reconcile(key, call)
          if (reconciled !== undefined && reconciled !== null) return reconciled.found
        }
      }
      return fn(key, call)
    }
    return this.#call({ kind: 'effect', name, isDurable: true, options, run })
  }

  /** See `RunSleep` in steps.ts. */
  sleep(name: string, time: SleepTime): Promise<void> {
    const sleeping = this.#sleep(name, time)
    sleeping.catch(() => undefined)
    return sleeping
  }

  /** Ends the attempt: what is called later is refused. @throws when a step still runs, or recorded ones were not called */
  check(): void {
    this.close()
    if (this.#mismatch !== undefined) throw this.#mismatch
    if (this.#sequence.runningCount > 0)
      throw this.#misuse(
        this.#sequence.called.at(-1) ?? '',
        'it still runs when the handler has ended (is an await missing?)',
      )
    if (this.#attached?.isOpen !== true) return
    const earlier = this.#recorded(this.#attached)
    if (this.#sequence.missing(earlier).length > 0) throw this.#differs(earlier)
  }

  /** Refuses what is called from now on. */
  close(): void {
    this.#isClosed = true
    this.#sleepers.close()
  }

  /** When it ends is the result of a step; waiting for that time is not recorded. */
  async #sleep(name: string, time: SleepTime): Promise<void> {
    const { clock, slept } = this.#options
    const wantedMs = typeof time === 'number' ? clock.nowMs() + time : time.untilMs
    // What no calendar can show is no time.
    if (Number.isNaN(new Date(wantedMs).getTime())) throw this.#misuse(name, `it cannot sleep for ${wantedMs} ms`)
    const endsAtMs = slept?.name === name ? slept.dueAtMs : Math.ceil(wantedMs)
    const isDurable = this.#sleepers.isLong(endsAtMs)
    const dueAtMs = await this.#call({ kind: 'step', name, isDurable, options: {}, run: () => endsAtMs })
    this.#checkOpen(name)
    await this.#sleepers.wait({ name, dueAtMs })
  }

  /** A call that nobody awaits must not end the process when it fails: `check` tells of it. */
  #call<T>(call: Omit<Call<T>, 'place'>): Promise<T> {
    const result = this.#begin(call)
    result.catch(() => undefined)
    return result
  }

  async #begin<T>(call: Omit<Call<T>, 'place'>): Promise<T> {
    const { name } = call
    this.#checkName(name)
    const place = this.#sequence.begin(name)
    try {
      const result = await this.#replayOrRun({ ...call, place })
      this.#sequence.end(name, true)
      return result
    } catch (error) {
      this.#sequence.end(name, false)
      throw error
    } finally {
      this.#sleepers.look()
    }
  }

  async #replayOrRun<T>(call: Call<T>): Promise<T> {
    const { cancellation } = this.#options
    const journal = await this.#journal
    this.#checkOpen(call.name)
    await journal.open()
    const entry = await journal.find(call.name, cancellation)
    throwIfCancelled(cancellation)
    this.#checkOpen(call.name)
    this.#checkSequence(call, entry, journal)
    if (entry !== undefined && entry.result !== null) {
      const text = await journal.textOf(call.name, entry.result)
      this.#note(entry, true)
      return decodeValue(text) as T
    }
    const text = await journal.follow(call.name, cancellation, this.#run(call, entry, journal))
    throwIfCancelled(cancellation)
    return decodeValue(text) as T
  }

  /** Runs it until it has a result, records that, and returns its text. */
  async #run<T>(call: Call<T>, begun: JournalEntry | undefined, journal: HandlingJournal): Promise<string> {
    const { agent, clock, cancellation, abortGraceMs, backoffMs } = this.#options
    const { kind, name, options } = call
    const begunAtMs = begun?.begunAtMs ?? clock.nowMs()
    const startedAtMs = clock.nowMs()
    const marks = { kind, name, ...call.place, isDurable: call.isDurable, begunAtMs, durationMs: 0, cost: null }
    if (kind === 'effect' && begun === undefined) {
      await journal.record(marks, null)
      throwIfCancelled(cancellation)
    }
    let uncertainSinceMs = begun?.begunAtMs
    const value = await runTries(
      {
        ...{ agent, step: name, clock, cancellation, abortGraceMs, backoffMs },
        timeoutMs: options.timeoutMs,
        retry: { ...ONE_TRY, ...options.retry },
      },
      (tried) => {
        const since = uncertainSinceMs
        uncertainSinceMs = begunAtMs
        return call.run(tried, since)
      },
    )
    if (FENCING_REASONS.has(cancellation.reason ?? '')) throwIfCancelled(cancellation)
    const entry = { ...marks, durationMs: clock.nowMs() - startedAtMs, cost: costOf(options, value) }
    const text = this.#encode(name, value)
    const standing = await journal.record(entry, text)
    this.#note(entry, standing !== undefined)
    return standing === undefined ? text : journal.textOf(name, standing)
  }

  #note({ name, durationMs, cost }: NewEntry, replayed: boolean): void {
    this.#facts.push({ name, durationMs, cost, replayed })
  }

  #encode(name: string, value: unknown): string {
    try {
      return encodeValue(value)
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error
      const { path, message: problem } = error
      throw new LabanError('LABAN_STEP_RESULT', { agent: this.#options.agent, step: name, path, problem })
    }
  }

  #checkName(name: string): void {
    this.#checkOpen(name)
    if (this.#sequence.has(name)) throw this.#misuse(name, 'there are two of this name; put an index into it')
    const bytes = Buffer.byteLength(name)
    if (bytes === 0 || bytes > MAX_NAME_BYTES)
      throw this.#misuse(
        name.slice(0, MAX_NAME_BYTES),
        `its name has ${bytes} bytes, allowed are 1 to ${MAX_NAME_BYTES}`,
      )
  }

  #checkOpen(name: string): void {
    if (this.#isClosed) throw this.#misuse(name, 'its attempt had ended before it ran (is an await missing?)')
  }

  /** A sequence that is not the recorded one ends the attempt before anything of it runs, whatever the handler does about it. */
  #checkSequence(
    call: Pick<Call<unknown>, 'kind' | 'name'>,
    entry: JournalEntry | undefined,
    journal: HandlingJournal,
  ): void {
    if (this.#mismatch !== undefined) throw this.#mismatch
    const earlier = this.#recorded(journal)
    const differs = entry === undefined ? this.#sequence.contradicts(call.name, earlier) : entry.kind !== call.kind
    if (differs) throw this.#differs(earlier)
  }

  /** What this sequence of calls must fit to. Effects from before a restart stand in no order. */
  #recorded(journal: HandlingJournal): readonly JournalEntry[] {
    return [...journal.entries.values()].filter(({ generation }) => generation === journal.generation)
  }

  #differs(earlier: readonly JournalEntry[]): LabanError {
    this.#mismatch ??= new LabanError('LABAN_STEP_MISMATCH', {
      agent: this.#options.agent,
      recorded: recordedSequence(earlier).join(', '),
      current: this.#sequence.called.join(', '),
    })
    return this.#mismatch
  }

  #checkKey(name: string, key: string, begunAtMs: number, keyValidForMs: number): void {
    if (this.#options.clock.nowMs() - begunAtMs <= keyValidForMs) return
    const begunAt = new Date(begunAtMs).toISOString()
    throw new LabanError('LABAN_EFFECT_OUTCOME_UNKNOWN', { agent: this.#options.agent, step: name, begunAt, key })
  }

  #misuse(step: string, problem: string): LabanError {
    return new LabanError('LABAN_STEP_MISUSE', { agent: this.#options.agent, step, problem })
  }
}

/** A mistake in counting must not lose a result. */
function costOf<T>({ cost }: StepOptions<T>, result: T): number | null {
  try {
    const counted = typeof cost === 'function' ? cost(result) : cost
    return typeof counted === 'number' && Number.isFinite(counted) ? counted : null
  } catch {
    return null
  }
}
