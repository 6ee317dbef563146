/**
 * Who owns a handling while it runs. A short one owns nothing: the compare-and-set of its result decides. One that runs longer, or
 * has failed once, takes a claim, so that others wait for it instead of repeating it.
 */
import type { Admission } from '../admit/admission.ts'
import type { Cancellation } from '../ports/cancellation.ts'
import type { From, HandlingRef } from '../ports/claim-store.ts'

export interface OwnershipOptions {
  readonly admission: Admission
  readonly ref: HandlingRef
  readonly owner: string
  /** Generation of the work; see `ClaimRequest`. */
  readonly generation?: number
  /** Cancelled as `superseded` when the claim is refused: somebody else has it. */
  readonly cancellation: Cancellation
}

/** The claim of one execution. */
export class Ownership {
  readonly #options: OwnershipOptions
  #attempt: number | undefined
  #pending: Promise<boolean> | undefined
  /** True when nothing was stored of the handling before this execution. */
  readonly isFirst: boolean

  constructor(options: OwnershipOptions, claimedAttempt?: number) {
    this.#options = options
    this.#attempt = claimedAttempt
    this.isFirst = claimedAttempt === undefined
  }

  /** Attempt of the claim; 1 while there is none. */
  get attempt(): number {
    return this.#attempt ?? 1
  }

  get isClaimed(): boolean {
    return this.#attempt !== undefined
  }

  /** What a transition of this execution requires of the store. Await `settled` before. */
  get from(): From {
    return this.#attempt === undefined ? 'absent' : { owner: this.#options.owner, attempt: this.#attempt }
  }

  /** Takes the claim now. False: somebody else has it, and this execution has been cancelled. */
  claim(): Promise<boolean> {
    if (this.#attempt !== undefined) return Promise.resolve(true)
    this.#pending ??= this.#claim()
    return this.#pending
  }

  /** Waits for a claim that is under way. */
  async settled(): Promise<void> {
    if (this.#pending !== undefined) await this.#pending
  }

  /** Gives the claim up so that another may run at once; the attempt is kept. */
  async release(): Promise<void> {
    await this.settled()
    if (this.#attempt === undefined) return
    const { admission, ref, owner } = this.#options
    await admission.release({ ...ref, owner, attempt: this.#attempt })
  }

  async #claim(): Promise<boolean> {
    const { admission, ref, owner, generation = 0, cancellation } = this.#options
    try {
      const answer = await admission.claim({ ...ref, owner, from: 'absent', generation })
      if (answer.accepted && answer.current.state === 'claimed') {
        this.#attempt = answer.current.attempt
        return true
      }
      cancellation.cancel('superseded')
    } catch {
      // Only at shutdown: the handling is being cancelled anyway.
    }
    return false
  }
}
