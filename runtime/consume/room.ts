/** How many records, and how many bytes of them, may be open at once; and which partitions may take more of them. */
import { MAX_SPAN } from './offset-tracker.ts'
import type { PartitionState } from './partition.ts'

/** What one agent of a process may hold. */
export interface RoomLimits {
  readonly maxOpen: number
  readonly maxOpenBytes: number
}

const MIN_OPEN_PER_PARTITION = 256

/** Registered and unfinished records of all partitions. */
export function openCountOf(partitions: readonly PartitionState[]): number {
  let count = 0
  for (const state of partitions) count += state.open.size
  return count
}

/**
 * Asks for one record after another whether there is room, counted once for all of them. One open record per partition is always
 * let in, so that none stands still.
 */
export function roomFor(
  state: PartitionState,
  partitions: readonly PartitionState[],
  limits: RoomLimits,
): (bytes: number) => boolean {
  const share = shareOf(partitions, limits)
  let recordsLeft = Math.min(share - state.open.size, limits.maxOpen - openCountOf(partitions))
  let bytesLeft = limits.maxOpenBytes - openBytesOf(partitions)
  return (bytes) => {
    const fits = state.limit === undefined && recordsLeft > 0 && bytes < bytesLeft
    if (!fits && state.open.size > 0) return false
    recordsLeft--
    bytesLeft -= bytes
    return true
  }
}

/** Paused partitions that may go on: once half the room is free, because answers to a paused partition's fetch are thrown away. */
export function roomyPartitions(partitions: readonly PartitionState[], limits: RoomLimits): readonly PartitionState[] {
  const isRoomy = openCountOf(partitions) <= limits.maxOpen / 2 && openBytesOf(partitions) <= limits.maxOpenBytes / 2
  const share = shareOf(partitions, limits)
  return partitions.filter((state) => {
    if (!state.paused) return false
    if (state.open.size === 0) return true
    return isRoomy && state.open.size <= share / 2 && state.limit === undefined && state.tracker.span < MAX_SPAN / 2
  })
}

/** A fair share of the room, so that a hot partition cannot take all of it. */
function shareOf(partitions: readonly PartitionState[], { maxOpen }: RoomLimits): number {
  return Math.max(Math.ceil(maxOpen / Math.max(1, partitions.length)), MIN_OPEN_PER_PARTITION)
}

function openBytesOf(partitions: readonly PartitionState[]): number {
  let bytes = 0
  for (const state of partitions) bytes += state.openBytes
  return bytes
}
