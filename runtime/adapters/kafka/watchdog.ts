/**
 * Notices a consumer that has stopped without saying so: kafkajs can hang in a promise that never settles, and then neither
 * fetches nor heartbeats. Joining may take as long as the slowest member of the group is given; a process that stood still itself
 * has been silent for another reason, and gets as long again.
 */
import type { Cancel, Clock } from '../../ports/clock.ts'

/** How long silence may last. */
export interface WatchdogLimits {
  /** Without an answer for so long, the brokers are said to be away. */
  readonly quietMs: number
  readonly silentMs: number
  /** While joining. */
  readonly joiningMs: number
}

/** kafkajs waits this long for a join beyond the rebalance time-out. */
const JOIN_GRACE_MS = 10_000

/** Half a session without an answer is quiet, two sessions are silence. */
export function watchdogLimits(sessionTimeoutMs: number): WatchdogLimits {
  const silentMs = 2 * sessionTimeoutMs
  return { quietMs: sessionTimeoutMs / 2, silentMs, joiningMs: silentMs + sessionTimeoutMs + JOIN_GRACE_MS }
}

/** Who is told. */
export interface WatchdogCalls {
  /** No answer of a broker for `quietMs`, outside of a join; then once when there is one again. */
  readonly onQuiet: (isQuiet: boolean, quietMs: number) => void
  /** No sign of life for too long. Once: it watches no more. */
  readonly onSilence: (silentMs: number) => void
}

/** Watches from its making to `stop`. */
export class Watchdog {
  readonly #clock: Clock
  readonly #limits: WatchdogLimits
  readonly #calls: WatchdogCalls
  #lastSignAtMs: number
  #lookedAtMs: number
  #answeredAtMs: number
  #isJoining = true
  #isQuiet = false
  #cancel: Cancel = () => undefined

  constructor(clock: Clock, limits: WatchdogLimits, calls: WatchdogCalls) {
    this.#clock = clock
    this.#limits = limits
    this.#calls = calls
    this.#lastSignAtMs = clock.steadyMs()
    this.#lookedAtMs = this.#lastSignAtMs
    this.#answeredAtMs = this.#lastSignAtMs
    this.#schedule()
  }

  /** A sign of life. */
  sign(): void {
    this.#lastSignAtMs = this.#clock.steadyMs()
  }

  /** A broker has answered, which is a sign of life, too. */
  answered(): void {
    this.sign()
    this.#answeredAtMs = this.#lastSignAtMs
    if (!this.#isQuiet) return
    this.#isQuiet = false
    this.#calls.onQuiet(false, 0)
  }

  joining(isJoining: boolean): void {
    this.#isJoining = isJoining
    if (isJoining) this.sign()
    else this.answered()
  }

  stop(): void {
    this.#cancel()
  }

  #schedule(): void {
    const everyMs = Math.min(this.#limits.quietMs / 2, this.#limits.silentMs / 4)
    this.#cancel = this.#clock.after(everyMs, () => {
      const nowMs = this.#clock.steadyMs()
      if (nowMs - this.#lookedAtMs > 2 * everyMs) this.#excuse(nowMs)
      this.#lookedAtMs = nowMs
      const silentMs = nowMs - this.#lastSignAtMs
      if (silentMs > (this.#isJoining ? this.#limits.joiningMs : this.#limits.silentMs))
        return this.#calls.onSilence(silentMs)
      this.#lookForQuiet(nowMs - this.#answeredAtMs)
      this.#schedule()
    })
  }

  /** This process stood still. */
  #excuse(nowMs: number): void {
    this.#lastSignAtMs = nowMs
    this.#answeredAtMs = nowMs
  }

  #lookForQuiet(quietMs: number): void {
    if (this.#isQuiet || this.#isJoining || quietMs <= this.#limits.quietMs) return
    this.#isQuiet = true
    this.#calls.onQuiet(true, quietMs)
  }
}
