/**
 * What to do next with a work, given what the store knows of its handling. The rule it keeps: a living owner is waited for; only what a
 * dead one has left is taken up.
 */
import { isLabanError } from '../../contracts/errors.ts'
import type { ClaimRequest, HandlingState } from '../ports/claim-store.ts'
import type { HandlingDeps } from './deps.ts'
import { takeUp } from './handed.ts'
import { generationOf, type Work } from './work.ts'

type ClaimedState = Extract<HandlingState, { state: 'claimed' }>

/** `wait`: look again later. `again`: look again at once. */
export type Decision =
  | { readonly kind: 'run'; readonly claimedAttempt?: number }
  | { readonly kind: 'republish'; readonly state: Extract<HandlingState, { state: 'computed' }> }
  | {
      readonly kind: 'quarantine'
      readonly claimedAttempt: number
      readonly attempts: number
      readonly lastOwner: string
    }
  | { readonly kind: 'finish-burial'; readonly generation: number; readonly note: Buffer }
  | { readonly kind: 'skip' | 'release' | 'again' }
  | { readonly kind: 'wait' }

export const WAIT: Decision = { kind: 'wait' }
const AGAIN: Decision = { kind: 'again' }
/** A handling that has cost so many processes does not run again. Before its last run it is tried alone. */
export const MOST_DEATHS = 3

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

  /** Claims what is absent, and may have been under way when a process died: should it die again, that is counted. */
  claimSuspect(work: Work): Promise<Decision> {
    return this.#claim(work, 'absent', 1)
  }

  async #takeOver(work: Work, state: ClaimedState): Promise<Decision> {
    const { owner, attempt } = state
    const { handlingId } = work.ref
    const trials = this.#deps.deaths?.trials
    const deaths = await this.#deathsWith(state, handlingId)
    if (deaths === undefined) return WAIT
    const isLastRun = deaths === MOST_DEATHS - 1
    if (isLastRun && (await trials?.enter(handlingId)) === false) return WAIT
    const decision = await this.#claim(work, { owner, attempt }, deaths)
    if (decision.kind !== 'run' || decision.claimedAttempt === undefined) {
      trials?.leave(handlingId)
      return decision
    }
    this.#onTakeover(work)
    this.#deps.meter.tookOver()
    const { claimedAttempt } = decision
    this.#deps.log.info('took over', { ...work.ref, from: owner, attempt: claimedAttempt, deaths })
    if (deaths < MOST_DEATHS) return decision
    return { kind: 'quarantine', claimedAttempt, attempts: attempt, lastOwner: owner }
  }

  /** Deaths that it has cost by now, the last only if it ran alone. Undefined: the store does not answer. */
  async #deathsWith({ owner, deaths = 0 }: ClaimedState, handlingId: string): Promise<number | undefined> {
    if (owner === '' || owner === this.#deps.instance) return deaths
    if (deaths < MOST_DEATHS - 1) return deaths + 1
    try {
      return (await this.#deps.deaths?.trials.wasOnTrial(owner, handlingId)) === true ? MOST_DEATHS : deaths
    } catch (error) {
      if (isLabanError(error) && error.errorClass === 'retry') return undefined
      throw error
    }
  }

  async #claim(work: Work, from: ClaimRequest['from'], deaths = 0): Promise<Decision> {
    const { instance, admission } = this.#deps
    const request = { ...work.ref, owner: instance, from, deaths, generation: generationOf(work) }
    const { accepted, current } = await admission.claim(request)
    if (accepted && current.state === 'computed') return { kind: 'republish', state: current }
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
