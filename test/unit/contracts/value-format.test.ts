/** What a step returns comes back as it was, or is refused with its place; a property for any JSON value. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeValue, encodeValue } from '../../../contracts/value-format.ts'

class Money {
  readonly cents = 1
  format(): string {
    return String(this.cents)
  }
}

class Decoded {
  readonly text = 'as from Avro'
}

const roundTrip = (value: unknown): unknown => decodeValue(encodeValue(value))

describe('results of steps', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a date', new Date('2026-01-02T03:04:05.678Z')],
    ['a bigint', 2n ** 70n],
    ['bytes', Buffer.from([0, 255, 7])],
    ['numbers that JSON lacks', [NaN, Infinity, -Infinity, -0]],
    ['them inside', { at: new Date(0), list: [1n, undefined, { deep: NaN }] }],
    ['an object that looks like ours', { $laban: 'date', value: 'x', more: [{ $laban: 1 }] }],
    ['a key that means something to objects', JSON.parse('{"__proto__": {"a": 1}}')],
  ])('keep %s', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value)
  })

  it('keep any JSON value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void expect(roundTrip(value)).toStrictEqual(value)))
  })

  it('leave out a property that is undefined, and the class of an object without methods', () => {
    expect(roundTrip({ a: undefined, b: 1 })).toStrictEqual({ b: 1 })
    expect(roundTrip(new Decoded())).toStrictEqual({ text: 'as from Avro' })
  })

  it.each([
    ['a function', { call: () => 1 }, 'result.call', 'a function cannot be kept'],
    ['a symbol', [Symbol('s')], 'result[0]', 'a symbol cannot be kept'],
    ['a map', { a: [new Map()] }, 'result.a[0]', 'it is a Map; return plain data'],
    ['an instance with methods', new Money(), 'result', 'it is a Money; return plain data'],
    ['a date that is none', new Date(NaN), 'result', 'the date is not valid'],
  ])('refuse %s', (_, value, path, message) => {
    expect(() => encodeValue(value)).toThrow(expect.objectContaining({ path, message }) as Error)
  })

  it('refuse a circle, but not an object met twice', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = { circle }
    expect(() => encodeValue(circle)).toThrow('it refers to itself')
    const shared = { a: 1 }
    expect(roundTrip([shared, shared])).toEqual([shared, shared])
  })
})
