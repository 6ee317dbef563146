import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assignSticky,
  type StickyAssignment,
  type StickyMember,
} from '../../../../../runtime/adapters/kafka/sticky-assignment.ts'

describe('assignSticky', () => {
  it('gives every partition of a topic to exactly one of its subscribers, evenly within the topic', () => {
    fc.assert(
      fc.property(group(), ({ members, counts }) => {
        const assignment = assignSticky(members, counts)
        for (const [topic, count] of counts) {
          const subscribers = members.filter((member) => member.topics.has(topic))
          const shares = subscribers.map(({ id }) => assignment.get(id)?.get(topic) ?? [])
          const all = shares.flat().toSorted((a, b) => a - b)
          expect(all).toEqual(subscribers.length === 0 ? [] : Array.from({ length: count }, (_, index) => index))
          const sizes = shares.map((share) => share.length)
          expect(Math.max(0, ...sizes) - Math.min(...sizes, Infinity)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it('moves nothing when nothing has changed', () => {
    fc.assert(
      fc.property(group(), ({ members, counts }) => {
        const first = assignSticky(members, counts)
        expect(assignSticky(owning(members, first, 7), counts)).toEqual(first)
      }),
    )
  })

  it('spreads many small topics over all members', () => {
    const counts = new Map(Array.from({ length: 10 }, (_, index) => [`topic-${index}`, 1]))
    const members = ['a', 'b'].map((id) => member(id, [...counts.keys()]))
    const alone = assignSticky(members.slice(0, 1), counts)
    const shared = assignSticky([...owning(members.slice(0, 1), alone, 1), ...members.slice(1)], counts)
    expect([...shared.values()].map((topics) => topics.size)).toEqual([5, 5])
  })

  it('believes the younger of two claims to one partition', () => {
    const counts = new Map([['t', 2]])
    const stale = { ...member('a', ['t']), generation: 3, owned: new Map([['t', [0]]]) }
    const fresh = { ...member('b', ['t']), generation: 4, owned: new Map([['t', [0]]]) }
    const assignment = assignSticky([stale, fresh], counts)
    expect([assignment.get('a')?.get('t'), assignment.get('b')?.get('t')]).toEqual([[1], [0]])
  })

  it('gives a topic to those who subscribe to it only', () => {
    const assignment = assignSticky(
      [member('a', ['x']), member('b', ['x', 'y'])],
      new Map([
        ['x', 2],
        ['y', 3],
      ]),
    )
    expect(assignment.get('b')?.get('y')).toEqual([0, 1, 2])
    expect(assignment.get('a')?.get('y')).toBeUndefined()
  })

  it('forgets claims to partitions that do not exist', () => {
    const claiming = { ...member('a', ['t']), generation: 1, owned: new Map([['t', [0, 5, -1]]]) }
    expect(
      assignSticky([claiming], new Map([['t', 1]]))
        .get('a')
        ?.get('t'),
    ).toEqual([0])
  })
})

function member(id: string, topics: readonly string[]): StickyMember {
  return { id, topics: new Set(topics), generation: -1, owned: new Map() }
}

function owning(
  members: readonly StickyMember[],
  assignment: StickyAssignment,
  generation: number,
): readonly StickyMember[] {
  return members.map((one) => ({ ...one, generation, owned: assignment.get(one.id) ?? new Map() }))
}

function group(): fc.Arbitrary<{ members: readonly StickyMember[]; counts: ReadonlyMap<string, number> }> {
  const topics = ['t1', 't2', 't3']
  const owned = fc.dictionary(fc.constantFrom(...topics), fc.uniqueArray(fc.nat(12), { maxLength: 6 }), {
    noNullPrototype: true,
  })
  const one = fc.record({
    topics: fc.subarray(topics, { minLength: 1 }),
    generation: fc.integer({ min: -1, max: 5 }),
    owned,
  })
  return fc.record({
    members: fc.array(one, { minLength: 1, maxLength: 6 }).map((list) =>
      list.map(({ topics: subscribed, generation, owned: claims }, index) => ({
        id: `member-${index}`,
        topics: new Set(subscribed),
        generation,
        owned: new Map(Object.entries(claims)),
      })),
    ),
    counts: fc
      .tuple(fc.nat(12), fc.nat(5), fc.nat(2))
      .map((counts) => new Map(topics.map((topic, index) => [topic, counts[index] ?? 0]))),
  })
}
