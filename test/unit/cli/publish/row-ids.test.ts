/** The same file gives the same ids for ever; equal rows stay apart; an id that lies is refused. */
import { describe, expect, it } from 'vitest'
import { idsFromColumn, idsFromContent, type RowIds } from '../../../../cli/publish/row-ids.ts'
import { isUuid } from '../../../../contracts/index.ts'

const A = { amount: 1, note: 'a' }
const B = { amount: 2, note: 'b' }

function idsOf(ids: RowIds, values: readonly unknown[]): string[] {
  return values.map((value, index) => {
    const id = ids.next(index + 2, {}, value)
    return 'eventId' in id ? id.eventId : JSON.stringify(id)
  })
}

describe('from content', () => {
  it('repeats itself, keeps equal rows apart, and an appended row changes nothing before it', () => {
    const once = idsOf(idsFromContent('t.a', 'batch'), [A, B, A])
    expect(once.every(isUuid)).toBe(true)
    expect(new Set(once).size).toBe(3)
    expect(idsOf(idsFromContent('t.a', 'batch'), [A, B, A, A]).slice(0, 3)).toEqual(once)
  })

  it('does not depend on the order of other rows', () => {
    const [a, b] = idsOf(idsFromContent('t.a', 'batch'), [A, B])
    expect(idsOf(idsFromContent('t.a', 'batch'), [B, A])).toEqual([b, a])
  })

  it('depends on batch and topic, not on the order of nested keys', () => {
    const [id] = idsOf(idsFromContent('t.a', 'batch'), [{ deep: { x: 1, y: 2 } }])
    expect(idsOf(idsFromContent('t.a', 'batch'), [{ deep: { y: 2, x: 1 } }])).toEqual([id])
    expect(idsOf(idsFromContent('t.a', 'other'), [{ deep: { x: 1, y: 2 } }])).not.toEqual([id])
    expect(idsOf(idsFromContent('t.b', 'batch'), [{ deep: { x: 1, y: 2 } }])).not.toEqual([id])
  })
})

describe('from a column', () => {
  it('takes a UUID as it is and hashes other text with the topic', () => {
    const uuid = '8bb8bc08-6b96-829f-a45a-752d24795b9f'
    expect(idsFromColumn('t.a', 'id').next(2, { id: uuid }, A)).toEqual({ eventId: uuid })
    const [first, again] = [0, 1].map(() => idsFromColumn('t.a', 'id').next(2, { id: 'A-1' }, A))
    expect(first).toEqual(again)
    expect(idsFromColumn('t.b', 'id').next(2, { id: 'A-1' }, A)).not.toEqual(first)
  })

  it('passes over a repeated row, refuses a missing id and one that is used for two contents', () => {
    const ids = idsFromColumn('t.a', 'id')
    ids.next(2, { id: 7 }, A)
    expect(ids.next(3, { id: '7' }, A)).toEqual({ repeats: 2 })
    expect(ids.next(4, { id: '7' }, B)).toHaveProperty('problem', expect.stringContaining('line 2'))
    expect(ids.next(5, { id: ' ' }, B)).toHaveProperty('problem')
  })
})
