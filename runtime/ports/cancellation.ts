/** Cancellation that costs nothing until somebody asks for its signal: most handlings end within a millisecond and never do. */

/** Why work was told to end. */
export type CancelReason = 'timeout' | 'revoked' | 'lease-lost' | 'superseded' | 'shutdown'

/** Cancelled at most once; the first reason stands. */
export class Cancellation {
  #reason: CancelReason | undefined
  #controller: AbortController | undefined
  #listeners: ((reason: CancelReason) => void)[] | undefined

  /** Set once cancelled. */
  get reason(): CancelReason | undefined {
    return this.#reason
  }

  /** An AbortSignal that follows this cancellation; its reason is the {@link CancelReason}. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  cancel(reason: CancelReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
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
