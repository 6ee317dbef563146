/** The records of a journal topic tell what is known of each handling, in whatever order they are read. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeRecords } from '../../../../contracts/record-format.ts'
import { decodeEntry, encodeEntry, type JournalEntry } from '../../../../runtime/journal/entry-format.ts'
import { computedRecord, entryRecord } from '../../../../runtime/journal/journal-records.ts'
import { readJournal } from '../../../../runtime/journal/read-journal.ts'

const REF = { flowId: '00000000-0000-4000-8000-000000000000', handlingId: 'aaaaaaaa-0000-4000-8000-000000000000' }

function entry(name: string, parts: Partial<JournalEntry> = {}): JournalEntry {
  return {
    ...{ kind: 'step', name, owner: 'a', attempt: 1, generation: 0, order: 1, open: [], besides: false },
    ...{ isDurable: true, begunAtMs: 5, durationMs: 2, cost: null, result: { text: `"${name}"` } },
    ...parts,
  }
}

function logged(
  ...entries: readonly JournalEntry[]
): Parameters<typeof readJournal>[0] extends Iterable<infer R> ? R[] : never {
  return entries.map((each) => received(entryRecord('a.b', REF, encodeEntry(each))))
}

function received({ key, value, headers }: ReturnType<typeof entryRecord>) {
  return { key: Buffer.from(String(key)), value, headers: headers as Record<string, string> }
}

describe('an entry', () => {
  it.each([
    ['with a result', entry('größe', { cost: 0.5, open: ['x'], besides: true })],
    ['of an effect that has begun', entry('charge', { kind: 'effect', result: null })],
    ['with a large result', entry('big', { result: { largeId: 'a.b/1/c', bytes: 70_000 } })],
  ])('%s comes back as it was', (_, each) => {
    expect(decodeEntry(encodeEntry(each))).toEqual(each)
  })

  it('of a newer format is refused by its name, garbage too', () => {
    const newer = encodeEntry(entry('a'))
    newer[0] = 9
    expect(() => decodeEntry(newer)).toThrow(expect.objectContaining({ code: 'LABAN_FORMAT_TOO_NEW' }) as Error)
    expect(() => decodeEntry(Buffer.from('\u0001nothing'))).toThrow('a journal entry cannot be read')
  })
})

describe('readJournal', () => {
  const result = (name: string, records: ReturnType<typeof logged>): unknown =>
    readJournal(records).get(REF.handlingId)?.entries.get(name)?.result

  it('takes the latest attempt of a name, and never an intent for a result, in any order', () => {
    const charge = { kind: 'effect' } as const
    const records = logged(
      entry('a', { result: { text: '1' } }),
      entry('a', { attempt: 2, owner: 'b', result: { text: '2' } }),
      entry('charge', { ...charge, result: null }),
      entry('charge', { ...charge, attempt: 2, result: { text: '3' } }),
      entry('charge', { ...charge, attempt: 3, result: null }),
    )
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
        expect(result('a', shuffled)).toEqual({ text: '2' })
        expect(result('charge', shuffled)).toEqual({ text: '3' })
      }),
    )
  })

  it('forgets steps from before a restart, and keeps effects', () => {
    const restart = entry('', { kind: 'restart', generation: 1, result: null })
    const records = logged(entry('a'), entry('charge', { kind: 'effect' }), restart, entry('b', { generation: 1 }))
    const journal = readJournal(records.toReversed()).get(REF.handlingId)
    expect([...(journal?.entries.keys() ?? [])].sort()).toEqual(['b', 'charge'])
    expect(journal?.values.size).toBe(4)
  })

  it('tells the outputs of a handling that was computed, and passes over what is none of its records', () => {
    const output = { topic: 't.x', key: null, value: Buffer.from('v'), headers: {} }
    const computed = received(computedRecord('a.b', REF, encodeRecords([output])))
    const journal = readJournal([{ key: null, value: null, headers: {} }, computed]).get(REF.handlingId)
    expect(journal).toMatchObject({ flowId: REF.flowId, computed: { outputs: [output] } })
  })
})
