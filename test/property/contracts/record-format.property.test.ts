/** Stored records: what goes in comes out, cut bytes are an error and never something else, a newer version is refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLabanError } from '../../../contracts/errors.ts'
import { decodeRecords, encodeRecords, RECORD_FORMAT_VERSION } from '../../../contracts/record-format.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const maybe = fc.option(bytes, { nil: null })
const headerName = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((name) => name !== '__proto__')
const records = fc.array(
  fc.record({
    topic: fc.string({ unit: 'grapheme', maxLength: 30 }),
    key: maybe,
    value: maybe,
    headers: fc.dictionary(headerName, fc.oneof(bytes, fc.string({ unit: 'grapheme' })), {
      maxKeys: 6,
      noNullPrototype: true,
    }),
  }),
  { maxLength: 5 },
)

describe('stored records', () => {
  it('come back as they were, header texts as bytes', () => {
    fc.assert(
      fc.property(records, (list) => {
        const texts = list.map((record) => ({
          ...record,
          headers: Object.fromEntries(
            Object.entries(record.headers).map(([name, value]) => [name, Buffer.from(value as string)]),
          ),
        }))
        expect(decodeRecords(encodeRecords(list))).toEqual(texts)
      }),
      { numRuns: 300 },
    )
  })

  it('cut anywhere are whole records or an error', () => {
    fc.assert(
      fc.property(records, fc.nat(), (list, cut) => {
        const whole = encodeRecords(list)
        const part = whole.subarray(0, cut % whole.length)
        try {
          expect(encodeRecords(decodeRecords(part))).toEqual(part)
        } catch (error) {
          expect(isLabanError(error) && error.code).toBe('LABAN_INVARIANT')
        }
      }),
      { numRuns: 300 },
    )
  })

  it('with any byte changed are records or an error, soon', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 0, max: 255 }), (list, at, byte) => {
        const changed = Buffer.from(encodeRecords(list))
        changed[at % changed.length] = byte
        try {
          decodeRecords(changed)
        } catch (error) {
          expect(isLabanError(error)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('of a newer version are refused by name', () => {
    const newer = Buffer.from([RECORD_FORMAT_VERSION + 1, 1, 2, 3])
    expect(() => decodeRecords(newer)).toThrow(expect.objectContaining({ code: 'LABAN_FORMAT_TOO_NEW' }) as Error)
    for (const broken of [Buffer.alloc(0), Buffer.from([0])])
      expect(() => decodeRecords(broken)).toThrow(expect.objectContaining({ code: 'LABAN_INVARIANT' }) as Error)
  })
})
