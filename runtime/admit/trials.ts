/**
 * Lets handlings that were under way at two deaths run one at a time, so that the third death condemns one of them and nobody else. The
 * rule it keeps: before such a handling runs, a mark says so, which outlives the process.
 */
import { isLabanError } from '../../contracts/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { MarkStore } from '../ports/mark-store.ts'

export interface TrialsOptions {
  readonly marks: MarkStore
  readonly instance: string
  readonly clock: Clock
}

/** What has lived so long makes room for the next, if one waits: innocents may be many, and their handlers long. */
const TRIAL_MS = 2_000

/** See the file's head. One per agent and process. */
export class Trials {
  readonly #options: TrialsOptions
  #current: { readonly handlingId: string; readonly sinceMs: number } | undefined

  constructor(options: TrialsOptions) {
    this.#options = options
  }

  /** True: it may run now, and the mark says so. False: another one is on trial, or the store is away. */
  async enter(handlingId: string): Promise<boolean> {
    const { marks, instance, clock } = this.#options
    const current = this.#current
    if (current !== undefined && current.handlingId !== handlingId && clock.steadyMs() - current.sinceMs < TRIAL_MS)
      return false
    this.#current = { handlingId, sinceMs: clock.steadyMs() }
    try {
      await marks.set(markOf(instance), handlingId)
      return this.#current.handlingId === handlingId
    } catch (error) {
      this.leave(handlingId)
      if (isLabanError(error) && error.errorClass === 'retry') return false
      throw error
    }
  }

  /** It has ended; harmless for one that is not on trial. */
  leave(handlingId: string): void {
    if (this.#current?.handlingId === handlingId) this.#current = undefined
  }

  /** Whether a process died with this handling on trial. @throws LABAN_STORE_UNAVAILABLE */
  async wasOnTrial(instance: string, handlingId: string): Promise<boolean> {
    return (await this.#options.marks.get(markOf(instance))) === handlingId
  }
}

function markOf(instance: string): string {
  return `tried:${instance}`
}
