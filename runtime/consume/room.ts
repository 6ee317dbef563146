/**
 * How many records, and how many bytes of them, may be open at once; and which partitions may take more of them. Records that wait
 * for their handlers may be as many as the limit says. Those on their way through the stages need no more than keeps the stages
 * busy: what lies about longer than needed is copied again and again by the garbage collector. Where that little room stays taken,
 * as behind a key that is stuck, it grows.
 */
import { MAX_SPAN } from './offset-tracker.ts'
import type { PartitionState } from './partition.ts'

/** What one agent of a process may hold. */
export interface RoomLimits {
  readonly maxOpen: number
  readonly maxOpenBytes: number
  /** Open records that wait for their handlers. @default none */
  readonly waitingCount?: () => number
}

/** Open records that do not wait for a handler; some batches of the stages (measured: docs/design/speed.md). */
const MOVING_OPEN = 2_000
const MOVING_OPEN_PER_PARTITION = 128
const MIN_OPEN_PER_PARTITION = 256

/** Registered and unfinished records of all partitions. */
export function openCountOf(partitions: readonly PartitionState[]): number {
  let count = 0
  for (const state of partitions) count += state.open.size
  return count
}

/** See the file's head. One per agent and process. */
export class Room {
  readonly #limits: RoomLimits
  /** A limit was reached: nothing more until half of it is free. */
  #isFull = false
  /** So many times the usual room for records under way. */
  #widening = 1

  constructor(limits: RoomLimits) {
    this.#limits = limits
  }

  /**
   * Asks for one record after another whether there is room, counted once for all of them. One open record per partition is always
   * let in, so that none stands still.
   */
  for(state: PartitionState, partitions: readonly PartitionState[]): (bytes: number) => boolean {
    const { maxOpen, maxOpenBytes } = this.#limits
    const { all, share } = this.#window(partitions)
    const open = openCountOf(partitions)
    let recordsLeft = Math.min(share - state.open.size, all - open)
    let bytesLeft = maxOpenBytes - openBytesOf(partitions)
    return (bytes) => {
      const fits = state.limit === undefined && recordsLeft > 0 && bytes < bytesLeft
      if (!fits && state.open.size > 0) {
        this.#isFull ||= bytes >= bytesLeft || openCountOf(partitions) >= maxOpen
        return false
      }
      recordsLeft--
      bytesLeft -= bytes
      return true
    }
  }

  /** Paused partitions that may go on. Rarely: the answer to a paused partition's fetch is thrown away. */
  paused(partitions: readonly PartitionState[]): readonly PartitionState[] {
    const { maxOpen, maxOpenBytes } = this.#limits
    const { all, share, moving } = this.#window(partitions)
    const open = openCountOf(partitions)
    if (open <= maxOpen / 2 && openBytesOf(partitions) <= maxOpenBytes / 2) this.#isFull = false
    const isRoomy = !this.#isFull && open <= all - moving / 2
    const shareOfMoving = moving / Math.max(1, partitions.length)
    return partitions.filter((state) => {
      if (!state.paused) return false
      if (state.open.size === 0) return true
      const fits = state.open.size <= share - shareOfMoving / 2
      return isRoomy && fits && state.limit === undefined && state.tracker.span < MAX_SPAN / 2
    })
  }

  /** Told from time to time whether a partition has found no room since the last time. */
  look(isTight: boolean): void {
    if (!isTight) this.#widening = Math.max(1, this.#widening / 2)
    else if (this.#widening * MOVING_OPEN < this.#limits.maxOpen) this.#widening *= 2
  }

  /** Open records of all partitions and of one, a fair share, so that a hot partition cannot take all of the room. */
  #window(partitions: readonly PartitionState[]): { all: number; share: number; moving: number } {
    const { maxOpen, waitingCount } = this.#limits
    const count = Math.max(1, partitions.length)
    const moving = Math.min(maxOpen, Math.max(MOVING_OPEN, MOVING_OPEN_PER_PARTITION * count) * this.#widening)
    const all = Math.min(maxOpen, moving + (waitingCount?.() ?? 0))
    return { all, share: Math.max(Math.ceil(all / count), MIN_OPEN_PER_PARTITION), moving }
  }
}

function openBytesOf(partitions: readonly PartitionState[]): number {
  let bytes = 0
  for (const state of partitions) bytes += state.openBytes
  return bytes
}
