/** What a store keeps of one handling and of one member of a join: the words of the ports of claims and of recovery (docs/design/states.md). */
import type { Uuid } from '../../contracts/ids.ts'

/** Names one handling: the event id, or for a join the id of its one handling. */
export interface HandlingRef {
  readonly flowId: Uuid
  readonly handlingId: Uuid
}

/** The record that a handled event was read from. */
export interface InputPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What became of a handling that was handed over. */
export type HandedKind = 'retry' | 'parked' | 'suspended' | 'joined'

/** What the store knows about one handling. */
export type HandlingState =
  | { readonly state: 'absent' }
  | {
      readonly state: 'claimed'
      readonly owner: string
      readonly attempt: number
      /** Processes that died while they ran it, as whoever claimed it has counted; absent for none. */
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
  | { readonly state: 'handed'; readonly kind: HandedKind; readonly attempt: number }
  | {
      readonly state: 'dead'
      readonly generation: number
      /** Until `settle`: who buried it, and what that one noted of it. Its dead letter or its fact may be missing on the log. */
      readonly unsettled?: { readonly owner: string; readonly note: Buffer }
    }

/** One recorded member of a join. */
export interface JoinMember {
  readonly eventId: Uuid
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Envelope, key and value; see `runtime/admit/member-format.ts`. */
  readonly record: Buffer
}
