/** How much of the room that an agent may take it does take: little for what is on its way, all of it for what waits. */
import { beforeEach, describe, expect, it } from 'vitest'
import { emptyRanges } from '../../../../runtime/consume/offset-map.ts'
import { PartitionState } from '../../../../runtime/consume/partition.ts'
import { Room } from '../../../../runtime/consume/room.ts'
import type { BrokerRecord } from '../../../../runtime/ports/broker.ts'

const MAX_OPEN = 20_000
const MOVING = 2_000

let waiting = 0
let room: Room
let partitions: PartitionState[]

beforeEach(() => {
  waiting = 0
  room = new Room({ maxOpen: MAX_OPEN, maxOpenBytes: 1e9, waitingCount: () => waiting })
  partitions = [0, 1].map(
    (partition) => new PartitionState({ topic: 't', partition }, 0, emptyRanges, { perKey: true }),
  )
})

/** Delivers so many records to a partition; returns how many were let in. */
function fill(state: PartitionState | undefined, count: number): number {
  if (state === undefined) throw new Error('no such partition')
  const from = state.tracker.next
  const records = Array.from({ length: count }, (_, index) => record(from + index))
  const next = state.register(
    {
      topic: 't',
      partition: state.partition,
      fromOffset: from,
      lastOffset: from + count - 1,
      endOffset: from + count,
      records,
    },
    room.for(state, partitions),
  )
  if (next < from + count) state.paused = true
  return next - from
}

function record(offset: number): BrokerRecord {
  return { offset, timestampMs: 0, key: Buffer.from(`k${offset}`), value: Buffer.alloc(0), headers: {} }
}

function finish(state: PartitionState | undefined, count: number): void {
  for (const task of [...(state?.open ?? [])].slice(0, count)) state?.finish(task)
}

describe('the room for records', () => {
  it('is small for those on their way, shared by the partitions', () => {
    expect(fill(partitions[0], 5_000)).toBe(MOVING / 2)
    expect(fill(partitions[1], 5_000)).toBe(MOVING / 2)
  })

  it('grows by as many as wait for their handlers, up to the limit', () => {
    fill(partitions[0], 5_000)
    waiting = 1_000
    expect(room.paused(partitions)).toEqual([partitions[0]])
    expect(fill(partitions[0], 5_000)).toBe(500)
    waiting = 1_000_000
    expect(fill(partitions[0], 50_000)).toBe(MAX_OPEN / 2 - 1_500)
  })

  it('is made once half of it is free', () => {
    fill(partitions[0], 5_000)
    fill(partitions[1], 5_000)
    finish(partitions[0], 499)
    expect(room.paused(partitions)).toEqual([])
    finish(partitions[0], 1)
    expect(room.paused(partitions)).toEqual([])
    finish(partitions[1], 500)
    expect(room.paused(partitions)).toEqual(partitions)
  })

  it('is made once half of everything is free, when all of it was taken', () => {
    waiting = 1_000_000
    fill(partitions[0], 50_000)
    fill(partitions[1], 50_000)
    finish(partitions[0], 5_000)
    expect(room.paused(partitions)).toEqual([])
    finish(partitions[1], 5_000)
    expect(room.paused(partitions)).toEqual(partitions)
  })

  it('grows while a partition stays without it, as behind a stuck key; and shrinks again', () => {
    const sizes = [true, true, false, false].map((isTight) => {
      room.look(isTight)
      const state = new PartitionState({ topic: 't', partition: 0 }, 0, emptyRanges, { perKey: true })
      partitions = [state]
      return fill(state, 50_000)
    })
    expect(sizes).toEqual([4_000, 8_000, 4_000, 2_000])
    for (let looks = 0; looks < 100; looks++) room.look(true)
    partitions = [new PartitionState({ topic: 't', partition: 0 }, 0, emptyRanges, { perKey: true })]
    expect(fill(partitions[0], 50_000)).toBe(MAX_OPEN)
  })

  it('always lets one record of a partition in', () => {
    room = new Room({ maxOpen: 1, maxOpenBytes: 1 })
    expect(partitions.map((state) => fill(state, 10))).toEqual([1, 1])
  })
})
