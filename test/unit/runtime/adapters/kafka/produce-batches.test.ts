import { describe, expect, it } from 'vitest'
import {
  halve,
  placeRecord,
  toQueues,
  type PlacedRecord,
} from '../../../../../runtime/adapters/kafka/produce-batches.ts'

describe('toQueues', () => {
  it('keeps the order within each partition and the place of each record in the send', () => {
    const placed = [0, 1, 0, 1, 0].map((partition, index) => place(index, partition, 10))
    const queues = toQueues(placed)
    expect(queues.map(({ partition, batches }) => [partition, indexesOf(batches[0]?.records)])).toEqual([
      [0, [0, 2, 4]],
      [1, [1, 3]],
    ])
  })

  it('keeps batches below what a broker takes by default', () => {
    const [queue] = toQueues(Array.from({ length: 10 }, (_, index) => place(index, 0, 400_000)))
    expect(queue?.batches.map(({ records }) => indexesOf(records))).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
      [8, 9],
    ])
    for (const batch of queue?.batches ?? []) expect(batch.bytes).toBeLessThan(1_048_588)
  })

  it('gives a record of any size a batch of its own', () => {
    const [queue] = toQueues([place(0, 0, 2_000_000), place(1, 0, 10)])
    expect(queue?.batches.map(({ records }) => indexesOf(records))).toEqual([[0], [1]])
  })
})

describe('halve', () => {
  it('halves until a single record is left', () => {
    const [queue] = toQueues([0, 1, 2].map((index) => place(index, 0, 10)))
    const batch = queue?.batches[0]
    const halves = batch === undefined ? undefined : halve(batch)
    expect(halves?.map(({ records }) => indexesOf(records))).toEqual([[0], [1, 2]])
    expect(halves?.[0] === undefined ? 'none' : halve(halves[0])).toBeUndefined()
  })
})

function place(index: number, partition: number, valueBytes: number): PlacedRecord {
  const headers = { one: 'a', many: ['b', Buffer.from('c')] }
  return placeRecord({ topic: 't', key: 'k', value: Buffer.alloc(valueBytes), headers }, index, partition, 1)
}

function indexesOf(records: readonly PlacedRecord[] | undefined): readonly number[] {
  return records?.map(({ index }) => index) ?? []
}
