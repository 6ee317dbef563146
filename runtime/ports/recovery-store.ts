/**
 * Port of recovery: what is put back into a store that has lost its memory, and who does it. A store that is new, or was wiped, is in
 * a new epoch; claims that recover are refused there (LABAN_STORE_LOST) until it is complete and they have entered it. Methods throw
 * LABAN_STORE_UNAVAILABLE (retry) when the store does not answer, those that put back LABAN_STORE_LOST (retry) when the epoch that
 * `status` has named last is gone; repeating a call is safe.
 */
import type { Uuid } from '../../contracts/ids.ts'
import type { HandedKind, HandlingRef, HandlingState, InputPosition, JoinMember } from './handling-state.ts'

/** A state to put back. An owner '' is nobody: the next instance takes over. */
export type RestoredState =
  | {
      readonly state: 'claimed'
      readonly owner: string
      readonly attempt: number
      readonly generation: number
      /** See `HandlingState`. @default 0 */
      readonly deaths?: number
    }
  | {
      readonly state: 'computed'
      readonly owner: string
      readonly attempt: number
      readonly position: InputPosition
      readonly outputs: Buffer
    }
  | { readonly state: 'done' }
  | { readonly state: 'handed'; readonly kind: HandedKind; readonly attempt: number; readonly generation: number }
  | {
      readonly state: 'dead'
      readonly attempt: number
      readonly generation: number
      /** See `HandlingState`: only a process that is alive can tell. */
      readonly unsettled?: { readonly owner: string; readonly note: Buffer }
    }

/** One handling to put back. */
export interface RestoredHandling extends HandlingRef {
  readonly restored: RestoredState
}

/** One value of a journal to put back. */
export interface RestoredValue extends HandlingRef {
  readonly name: string
  readonly value: Buffer
}

/** A member of a join to put back; of one that has fired only the ids are kept. */
export interface RestoredMember {
  readonly flowId: Uuid
  readonly member: JoinMember
  readonly isDone: boolean
}

/** What the store says of itself. */
export interface StoreStatus {
  /** Names the memory: it changes when that was lost. */
  readonly epoch: string
  /** False until `complete`. */
  readonly isRecovered: boolean
}

/** Recovery of one agent. */
export interface RecoveryStore {
  /** Begins an epoch where there is none. */
  status(): Promise<StoreStatus>
  /** Takes or keeps the lease of the one who puts back. False: somebody else has it. */
  lead(instance: string, leaseMs: number): Promise<boolean>
  read(refs: readonly HandlingRef[]): Promise<readonly HandlingState[]>
  /**
   * Puts states back where nothing later stands; the answers are what stands then. Later is `done` than `computed`, both than all
   * others; of those, a higher generation; in one generation `dead` comes first, then the attempts, each `claimed` by nobody, `claimed`
   * by an owner, `handed`.
   */
  restore(handlings: readonly RestoredHandling[]): Promise<readonly HandlingState[]>
  /** Puts values of journals back where there is none of that name. */
  restoreJournal(values: readonly RestoredValue[]): Promise<void>
  /** Puts members of joins back; the first of a topic stays, but one of a join that has fired replaces it. */
  restoreJoins(members: readonly RestoredMember[]): Promise<void>
  /** Claims may enter this epoch from now on. False: it is gone. */
  complete(epoch: string): Promise<boolean>
}
