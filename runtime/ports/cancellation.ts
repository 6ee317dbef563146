/** Cancellation that costs nothing until somebody asks for its signal: most handlings end within a millisecond and never do. */
import { LabanError } from '../../contracts/errors.ts'

/** Why work was told to end. */
export type CancelReason = 'timeout' | 'revoked' | 'lease-lost' | 'superseded' | 'shutdown' | 'suspended'

/** What a signal aborts with, so that a `fetch` that was given it rejects with an error that says why. */
function errorOf(reason: CancelReason): LabanError {
  if (reason === 'revoked') return new LabanError('LABAN_PARTITION_REVOKED')
  if (reason === 'shutdown') return new LabanError('LABAN_SHUTDOWN')
  if (reason === 'suspended') return new LabanError('LABAN_SUSPENDED')
  return new LabanError(reason === 'timeout' ? 'LABAN_ATTEMPT_ENDED' : 'LABAN_LEASE_LOST')
}

/** Cancelled at most once; the first reason stands. */
export class Cancellation {
  #reason: CancelReason | undefined
  #controller: AbortController | undefined
  #listeners: ((reason: CancelReason) => void)[] | undefined

  /** Set once cancelled. */
  get reason(): CancelReason | undefined {
    return this.#reason
  }

  /** An AbortSignal that follows this cancellation; its reason is a LabanError. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(errorOf(this.#reason))
    return this.#controller.signal
  }

  cancel(reason: CancelReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(errorOf(reason))
    const listeners = this.#listeners
    this.#listeners = undefined
    for (const listener of listeners ?? []) listener(reason)
  }

  /** Calls back once, at once when it is cancelled already. Returns what takes the listener away. */
  onCancel(listener: (reason: CancelReason) => void): () => void {
    if (this.#reason !== undefined) {
      listener(this.#reason)
      return () => undefined
    }
    this.#listeners ??= []
    this.#listeners.push(listener)
    return () => {
      this.#listeners = this.#listeners?.filter((other) => other !== listener)
    }
  }
}
