/**
 * What to do next with a work, given what the store knows of its handling. The rule it keeps: a living owner is waited for; only what a
 * dead one has left is taken up.
 */
import { isLabanError } from '../../contracts/errors.ts'
import type { ClaimRequest, HandlingState } from '../ports/claim-store.ts'
import type { HandlingDeps } from './deps.ts'
import { takeUp } from './handed.ts'
import type { Work } from './work.ts'

/** `wait`: look again later. `again`: look again at once. */
export type Decision =
  | { readonly kind: 'run'; readonly claimedAttempt?: number }
  | { readonly kind: 'republish'; readonly state: Extract<HandlingState, { state: 'computed' }> }
  | { readonly kind: 'finish-burial'; readonly generation: number; readonly note: Buffer }
  | { readonly kind: 'skip' | 'release' | 'wait' | 'again' }

export const WAIT: Decision = { kind: 'wait' }
const AGAIN: Decision = { kind: 'again' }

/** One per agent and process. */
export class Decider {
  readonly #deps: HandlingDeps
  readonly #onTakeover: (work: Work) => void

  /** `onTakeover` is told of works that a dead owner had: it may have let their successors wait. */
  constructor(deps: HandlingDeps, onTakeover: (work: Work) => void) {
    this.#deps = deps
    this.#onTakeover = onTakeover
  }

  /** Claims on the way what is to be run where another left it. */
  async decide(work: Work, state: HandlingState): Promise<Decision> {
    const { handover } = work
    if (state.state === 'dead' && state.unsettled !== undefined) {
      const { owner, note } = state.unsettled
      if (await this.#isOther(owner)) return WAIT
      return { kind: 'finish-burial', generation: state.generation, note }
    }
    if (handover?.kind === 'release' && (state.state === 'dead' || state.state === 'absent')) return { kind: 'release' }
    const from = handover === undefined ? undefined : takeUp(handover, state)
    if (from !== undefined) return this.#claim(work, from)
    switch (state.state) {
      case 'absent':
        return { kind: 'run' }
      case 'done':
      case 'handed':
      case 'dead':
        return { kind: 'skip' }
      case 'computed':
        // Its owner publishes it and will say `done`; only a dead owner's result is ours to publish.
        return (await this.#isOther(state.owner)) ? WAIT : { kind: 'republish', state }
      case 'claimed':
        return (await this.#isOther(state.owner)) ? WAIT : this.#takeOver(work, state)
    }
  }

  async #takeOver(work: Work, { owner, attempt }: Extract<HandlingState, { state: 'claimed' }>): Promise<Decision> {
    const decision = await this.#claim(work, { owner, attempt })
    if (decision.kind !== 'run') return decision
    this.#onTakeover(work)
    this.#deps.log.info('took over', { ...work.ref, from: owner, attempt: decision.claimedAttempt })
    return decision
  }

  async #claim(work: Work, from: ClaimRequest['from']): Promise<Decision> {
    const { instance, admission } = this.#deps
    const { accepted, current } = await admission.claim({ ...work.ref, owner: instance, from })
    if (!accepted || current.state !== 'claimed') return AGAIN
    return { kind: 'run', claimedAttempt: current.attempt }
  }

  /** Somebody else who lives. A store that does not answer says nothing about an owner: it counts as alive. */
  async #isOther(owner: string): Promise<boolean> {
    const { instance, leases } = this.#deps
    if (owner === instance) return false
    try {
      return await leases.isAlive(owner)
    } catch (error) {
      if (isLabanError(error) && error.errorClass === 'retry') return true
      throw error
    }
  }
}
