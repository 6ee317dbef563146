/** Sticky assignment: complete, fair, and lazy about moving. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignSticky, type Candidate } from '../../../../../runtime/adapters/memory/assign.ts'
import type { TopicPartition } from '../../../../../runtime/ports/broker.ts'

const partitionsOf = (topic: string, count: number): readonly TopicPartition[] => {
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}
const candidate = (id: number, held: readonly TopicPartition[] = [], topics = ['a', 'b', 'c']): Candidate => {
  return { id: `member-${id}`, topics: new Set(topics), held }
}
const loads = (shares: ReadonlyMap<string, readonly unknown[]>): readonly number[] => {
  return [...shares.values()].map((share) => share.length)
}

describe('assignSticky', () => {
  it('gives every partition to exactly one member, loads at most one apart, and moves no more than it must', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 })
    const count = fc.integer({ min: 1, max: 6 })
    fc.assert(
      fc.property(sizes, count, count, (topics, before, after) => {
        const partitions = topics.flatMap((size, index) => partitionsOf('abc'.charAt(index), size))
        const first = assignSticky(
          Array.from({ length: before }, (_, id) => candidate(id)),
          partitions,
        )
        const members = Array.from({ length: after }, (_, id) => candidate(id, first.get(`member-${id}`) ?? []))
        const second = assignSticky(members, partitions)
        expect([...second.values()].flat()).toHaveLength(partitions.length)
        expect(new Set([...second.values()].flat())).toEqual(new Set(partitions))
        expect(Math.max(...loads(second)) - Math.min(...loads(second))).toBeLessThanOrEqual(1)
        const stayed = members.flatMap(({ id, held }) => held.filter((one) => second.get(id)?.includes(one) === true))
        // Whoever stays keeps what the fair share allows it.
        const fair = Math.floor(partitions.length / after)
        for (const { held, id } of members) {
          const kept = stayed.filter((one) => second.get(id)?.includes(one) === true).length
          expect(kept).toBeGreaterThanOrEqual(Math.min(held.length, fair))
        }
      }),
    )
  })

  it('spreads one-partition topics over members, though one member held them all', () => {
    const partitions = ['a', 'b', 'c'].flatMap((topic) => partitionsOf(topic, 1))
    const shares = assignSticky([candidate(1, partitions), candidate(2), candidate(3)], partitions)
    expect(loads(shares)).toEqual([1, 1, 1])
  })

  it('gives a topic only to those that subscribe to it', () => {
    const partitions = [...partitionsOf('a', 3), ...partitionsOf('b', 3)]
    const shares = assignSticky([candidate(1, partitions, ['a']), candidate(2, [], ['a', 'b'])], partitions)
    expect(shares.get('member-1')).toEqual(partitionsOf('a', 3))
    expect(shares.get('member-2')).toEqual(partitionsOf('b', 3))
  })

  it('assigns nothing when there is nobody', () => {
    expect(assignSticky([], partitionsOf('a', 2)).size).toBe(0)
  })
})
