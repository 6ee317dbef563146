/**
 * Port of parking: which events of a key wait behind a failed one, per partition that they came from. The truth lies on the agent's
 * `parked` topic; this is its index, a set of offsets per key, and says so when it has been lost. Methods throw
 * LABAN_STORE_UNAVAILABLE (retry) when the store does not answer; repeating a call is safe.
 */
import type { TopicPartition } from './broker.ts'

/** One event in the order of its key. */
export interface LanePlace extends TopicPartition {
  readonly key: Buffer
  readonly offset: number
}

/** The first event of a key that waits, and where its record lies on the `parked` topic. */
export interface NextParked {
  readonly offset: number
  readonly parkedOffset: number
}

/** An entry to restore; without `parkedOffset` the failed event itself, whose record is elsewhere. */
export interface ParkedEntry {
  readonly key: Buffer
  readonly offset: number
  readonly parkedOffset?: number
}

/**
 * What to do with one event of a key.
 * - `block`: it failed; its successors wait from now on.
 * - `admit`: may it run? If not, it has been added to those that wait.
 * - `store`: its record lies on the `parked` topic.
 * - `leave`: it is done, or given up.
 */
export type ParkingCall = LanePlace &
  (
    | { readonly op: 'block' }
    | { readonly op: 'admit' }
    | { readonly op: 'store'; readonly parkedOffset: number }
    | { readonly op: 'leave' }
  )

/**
 * - `lost`: the index of this partition is not there; fill it and ask again.
 * - `free`: nothing of the key waits. `turn`: it waits itself, as the first, and has not been stored: it may run where it is.
 * - `park`: others come first, or it was stored before.
 * - `done`: for the others; `next` is the first event of the key where it is stored, `isFirst` whether it is the one asked about.
 */
export type ParkingAnswer =
  | { readonly result: 'lost' }
  | { readonly result: 'free' | 'turn' | 'park' }
  | { readonly result: 'done'; readonly next?: NextParked }

/** Parking of one agent. */
export interface ParkingStore {
  /** Keys of a partition of which something waits; undefined when the index is not there. */
  keys(at: TopicPartition): Promise<readonly Buffer[] | undefined>
  /** Restores the index of a partition from the log, where it is not there; adds nothing to one that is. */
  fill(at: TopicPartition, entries: readonly ParkedEntry[]): Promise<void>
  ask(call: ParkingCall): Promise<ParkingAnswer>
}
