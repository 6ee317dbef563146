/**
 * Port of claims, leases and joins: the state of one (agent, event id), kept by compare-and-set (docs/design/states.md).
 * All methods take batches; one call is one round trip, and its entries are independent of each other.
 * Every method throws LABAN_STORE_UNAVAILABLE (retry) when the store does not answer; then nothing is known about the outcome,
 * and repeating the same call is safe.
 */
import type { Uuid } from '../../contracts/ids.ts'
import type { HandedKind, HandlingRef, HandlingState, InputPosition, JoinMember } from './handling-state.ts'
import type { MarkStore } from './mark-store.ts'
import type { ParkingStore } from './parking-store.ts'
import type { RecoveryStore } from './recovery-store.ts'
import type { LeaseView, StoreView } from './store-view.ts'

export type { HandedKind, HandlingRef, HandlingState, InputPosition, JoinMember } from './handling-state.ts'

/** Answer of a compare-and-set: whether it took effect, and the state after it. */
export interface Transition {
  readonly accepted: boolean
  readonly current: HandlingState
}

/** What a transition requires: nothing stored yet, or a claim of exactly this owner and attempt. */
export type From = 'absent' | { readonly owner: string; readonly attempt: number }

/**
 * A claim to enter: on nothing, taken over from a (dead) owner, by the record that the handling was handed over to, or of a redrive
 * from the dead letter of a generation.
 */
export interface ClaimRequest extends HandlingRef {
  readonly owner: string
  readonly from: From | { readonly handed: HandedKind; readonly attempt: number } | { readonly deadGeneration: number }
  /** Kept with a claim on nothing and with one that is taken over; 0 to 255. @default 0 */
  readonly deaths?: number
  /** Generation of the work, where it is known: what a store that has lost its memory is told again. @default 0 */
  readonly generation?: number
}

/** A result to enter. */
export interface ComputeRequest extends HandlingRef {
  readonly owner: string
  /** Attempt that computed it; 1 for an unclaimed short handling. */
  readonly attempt: number
  readonly from: From
  readonly position: InputPosition
  /** The final bytes of all outputs; see `runtime/publish/outputs-format.ts`. */
  readonly outputs: Buffer
}

/** One value for the journal of a handling that is claimed by exactly this owner in this attempt. */
export interface JournalRequest extends HandlingRef {
  readonly owner: string
  readonly attempt: number
  /** Names the value within the handling; a later value of the same name replaces it. At most 255 bytes. */
  readonly name: string
  readonly value: Buffer
}

/** A handling that cannot succeed. */
export interface BuryRequest extends HandlingRef {
  /** A result that cannot be published is kept with it: a redrive enters `computed` again. */
  readonly from: From | { readonly computedBy: string; readonly attempt: number }
  /** What whoever finds it needs to write its dead letter and its fact; see `runtime/service/burial-note.ts`. */
  readonly note: Buffer
}

/** A handling to finish. */
export interface FinishRequest extends HandlingRef {
  /** True when it may have a journal, which is dropped with the bodies. @default false */
  readonly hasJournal?: boolean
}

/** A member to record in its join. */
export interface JoinRequest {
  readonly flowId: Uuid
  /** Topics that the join waits for. */
  readonly topics: readonly string[]
  readonly member: JoinMember
}

/** What became of a join member. */
export interface JoinAnswer {
  /** `recorded` now, `already` recorded earlier (a redelivery), or `late`: another event of this topic was first. */
  readonly result: 'recorded' | 'already' | 'late'
  /** Topics that have a member. */
  readonly have: readonly string[]
  /** All members when complete, in the order of `topics`; absent again once the join's handling is done and its bodies dropped. */
  readonly members?: readonly JoinMember[]
}

/** Claims of one agent. */
export interface ClaimStore {
  /**
   * Goes on in this epoch, which `RecoveryStore.status` has named and called recovered. Claims that recover reject with LABAN_STORE_LOST
   * (retry) before it, and again from the moment at which the epoch is found gone. Without effect on claims that do not recover.
   * @throws LABAN_STORE_LOST when this epoch was found to have gone back in time: `status` then begins another
   */
  enter(epoch: string): Promise<void>
  read(refs: readonly HandlingRef[]): Promise<readonly HandlingState[]>
  /**
   * Enters `claimed`; a take-over (also of a released claim) and a redrive count the attempt up from the stored one.
   * A redrive of what had been computed enters `computed` as its owner instead: nothing is to run.
   * Repeating one's own that took effect is accepted, here and in all transitions below: a lost answer is asked for again.
   */
  claim(requests: readonly ClaimRequest[]): Promise<readonly Transition[]>
  /**
   * Enters `computed`. Repeating one's own (same owner, attempt and position) is accepted, and `current` holds the bytes stored
   * first; for a loser it holds the winner's.
   */
  compute(requests: readonly ComputeRequest[]): Promise<readonly Transition[]>
  /** Enters `done` from `computed` and drops the bodies; from `done` it is accepted again. */
  finish(requests: readonly FinishRequest[]): Promise<readonly Transition[]>
  /** Enters `handed` after the record handed over was acknowledged. */
  hand(
    requests: readonly (HandlingRef & { from: From; kind: HandedKind; attempt: number })[],
  ): Promise<readonly Transition[]>
  /**
   * Enters `dead`, unsettled; the generation counts up from the stored one, 1 at first. A repetition finds it as it was buried first,
   * or settled.
   */
  bury(requests: readonly BuryRequest[]): Promise<readonly Transition[]>
  /** Drops the note of `dead` in this generation, once dead letter and fact are acknowledged; whoever does it. Then it may be redriven. */
  settle(requests: readonly (HandlingRef & { generation: number })[]): Promise<readonly Transition[]>
  /** Gives claims up on shutdown: the attempt is kept, the owner becomes ''. Compare-and-set like the others. */
  release(requests: readonly (HandlingRef & { owner: string; attempt: number })[]): Promise<readonly Transition[]>
  /**
   * Writes into journals, each under its claim: refused, with the state that stands, when the claim is not exactly this one. A
   * journal outlives its claim: it is there for whoever takes over, and for a redrive.
   */
  writeJournal(requests: readonly JournalRequest[]): Promise<readonly Transition[]>
  /** The journals by name, empty where there is none. Whoever holds the claim sees all that was ever accepted. */
  readJournal(refs: readonly HandlingRef[]): Promise<readonly ReadonlyMap<string, Buffer>[]>
  /** Records join members; the first event of a topic wins, a later one never overwrites. */
  join(requests: readonly JoinRequest[]): Promise<readonly JoinAnswer[]>
}

/** Leases of processes. A lease is lost only when the store answers that it is. */
export interface LeaseStore {
  /**
   * Sets or extends the lease. False when it had lapsed since the last renewal: work may have been taken over. `note` is what the
   * process says of itself to whoever looks; it replaces the one before. @default ''
   */
  renew(instance: string, leaseMs: number, note?: string): Promise<boolean>
  /** Reads one lease afresh. */
  isAlive(instance: string): Promise<boolean>
  release(instance: string): Promise<void>
  /** Leases for whoever only looks, in the order of the instances. */
  look(instances: readonly string[]): Promise<readonly LeaseView[]>
}

/** What a store is fit for; shown by start-up checks and `laban doctor`. */
export interface StoreHealth {
  readonly version: string
  /** Reasons why claims could be lost (eviction, no persistence); empty when none. */
  readonly unsafe: readonly string[]
  /** True while writes are refused for lack of memory. */
  readonly full: boolean
}

/** How long things of an agent are kept, and what follows a loss. */
export interface ClaimOptions {
  readonly dedupMs: number
  readonly joinTtlMs: number
  /** True where somebody puts back what a store has lost. @default false: after a pause work goes on with an empty store */
  readonly recovers?: boolean
}

/** A connection to the store; `claimsOf` gives the claims of one agent. */
export interface Store {
  connect(): Promise<void>
  claimsOf(agent: string, options: ClaimOptions): ClaimStore
  recoveryOf(agent: string, options: ClaimOptions): RecoveryStore
  parkingOf(agent: string): ParkingStore
  marksOf(agent: string): MarkStore
  viewOf(agent: string): StoreView
  readonly leases: LeaseStore
  health(): Promise<StoreHealth>
  close(): Promise<void>
}
