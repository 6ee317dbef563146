/** A cell becomes the value that its field's Avro type asks for, or is refused with what was expected. */
import { describe, expect, it } from 'vitest'
import { cellConverter } from '../../../../cli/publish/convert-cell.ts'
import { CONVERSIONS, type ConversionName } from '../../../../cli/publish/conversions.ts'
import type { AvroSchema } from '../../../../contracts/index.ts'

const COLOUR: AvroSchema = { type: 'enum', name: 'Colour', symbols: ['red', 'green'] }

describe('cellConverter', () => {
  it.each<[AvroSchema, unknown, unknown]>([
    ['string', '', ''],
    ['string', ' a ', ' a '],
    ['int', '737', 737],
    ['int', '737.0', 737],
    ['int', -1, -1],
    ['long', '9007199254740991', 9007199254740991],
    [{ type: 'long', logicalType: 'timestamp-millis' }, '1700000000000', 1700000000000],
    ['double', ' 0.1189', 0.1189],
    ['double', '-1e-3', -0.001],
    ['boolean', 'TRUE', true],
    ['boolean', false, false],
    [COLOUR, 'red', 'red'],
    [['null', 'double'], '', null],
    [['null', 'double'], '1.5', 1.5],
    [['null', 'string'], 'x', 'x'],
    [{ type: 'array', items: 'string' }, '["a"]', ['a']],
    [{ type: 'array', items: 'string' }, ['a'], ['a']],
  ])('%j from %j', (type, cell, value) => {
    expect(cellConverter(type)(cell)).toEqual({ value })
  })

  it.each<[AvroSchema, unknown, string]>([
    ['string', 3, 'text'],
    ['int', '1.5', 'integer'],
    ['int', '2147483648', 'integer of 32 bits'],
    ['long', '9007199254740992', 'below 2^53'],
    ['int', '', 'integer'],
    ['double', '1,5', 'a number'],
    ['double', 'NaN', 'a number'],
    ['double', '0x10', 'a number'],
    ['boolean', '1', 'true or false'],
    [COLOUR, 'gren', 'green'],
    [COLOUR, 'violet', 'one of red, green'],
    [['null', 'int'], 'x', 'integer'],
    [{ type: 'map', values: 'int' }, '{', 'JSON'],
  ])('%j refuses %j', (type, cell, expected) => {
    const result = cellConverter(type)(cell)
    expect('expected' in result ? result.expected : 'accepted').toContain(expected)
  })
})

describe('CONVERSIONS', () => {
  it.each<[ConversionName, string, unknown]>([
    ['boolean-from-01', '1', true],
    ['boolean-from-01', '0', false],
    ['boolean-from-yes-no', 'Yes', true],
    ['ratio-from-percent', '11.89%', 0.1189],
    ['ratio-from-percent', '100', 1],
    ['lower-case', 'AbC', 'abc'],
    ['upper-case', 'AbC', 'ABC'],
    ['snake-case', 'Small Business', 'small_business'],
    ['ms-from-date', '2026-11-21T00:00:00Z', Date.UTC(2026, 10, 21)],
  ])('%s of %j', (name, text, value) => {
    expect(CONVERSIONS[name].convert(text)).toEqual({ value })
  })

  it.each<[ConversionName, string]>([
    ['boolean-from-01', '2'],
    ['boolean-from-yes-no', 'true'],
    ['ratio-from-percent', ''],
    ['ms-from-date', 'yesterday'],
  ])('%s refuses %j', (name, text) => {
    expect(CONVERSIONS[name].convert(text)).toHaveProperty('expected')
  })
})
