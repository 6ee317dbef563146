/**
 * Port of whoever only looks at the store: diagnosis reads with it what agents know, begins no epoch and changes nothing. Methods
 * throw LABAN_STORE_UNAVAILABLE (retry) when the store does not answer.
 */
import type { HandlingRef, HandlingState } from './handling-state.ts'

/** What the store remembers of one agent as a whole. */
export interface MemoryView {
  /** False while what was lost is being read back from the log. */
  readonly isRecovered: boolean
  /** The instance that reads it back; undefined when nobody does at the moment. */
  readonly recoverer: string | undefined
}

/** One lease as it is now. */
export interface LeaseView {
  /** Until it ends by itself; null: there is none. */
  readonly remainingMs: number | null
  /** What its process has said of itself with the last renewal; '' for nothing. */
  readonly note: string
}

/** One agent's part of the store. */
export interface StoreView {
  handlings(refs: readonly HandlingRef[]): Promise<readonly HandlingState[]>
  /** Values by name; empty when there is no journal. */
  journal(ref: HandlingRef): Promise<ReadonlyMap<string, Buffer>>
  /** Undefined: the store has never known the agent, or has forgotten everything of it. */
  memory(): Promise<MemoryView | undefined>
}
