/** What a contract marks as personal is hidden, wherever in a value it stands. */
import { describe, expect, it } from 'vitest'
import { canonicalSchema } from '../../../contracts/canonical-schema.ts'
import type { AvroSchema } from '../../../contracts/contract.ts'
import { hasMarkedFields, maskValue } from '../../../contracts/mask-value.ts'

function canonical(fields: readonly object[]): AvroSchema {
  const result = canonicalSchema({ type: 'record', name: 'Person', namespace: 'test', fields }, () => undefined)
  if ('problem' in result) throw new Error(`${result.path}: ${result.problem}`)
  return result.schema
}

const ADDRESS = {
  type: 'record',
  name: 'Address',
  fields: [
    { name: 'street', type: 'string', pii: true },
    { name: 'country', type: 'string' },
  ],
}

describe('maskValue', () => {
  it('replaces marked fields by stars and their type', () => {
    const schema = canonical([
      { name: 'name', type: 'string', pii: true },
      { name: 'income', type: ['null', 'double'], pii: true, default: null },
      { name: 'born', type: { type: 'int', logicalType: 'date' }, pii: true },
      { name: 'email', type: { type: 'string', pii: true } },
      { name: 'score', type: 'int' },
    ])
    const masked = maskValue(schema, { name: 'Ada', income: 12, born: 1, email: 'a@b', score: 700 })
    expect(masked).toEqual({
      name: '*** string',
      income: '*** double',
      born: '*** date',
      email: '*** string',
      score: 700,
    })
    // Whether there is a value at all is personal, too.
    expect(maskValue(schema, { income: null })).toEqual({ income: '*** double' })
  })

  it('finds marks in lists, maps, unions and types that are named again', () => {
    const schema = canonical([
      { name: 'home', type: ADDRESS },
      { name: 'others', type: { type: 'array', items: 'test.Address' } },
      { name: 'byName', type: { type: 'map', values: ['null', 'test.Address'] } },
    ])
    const address = { street: 'Main Street 1', country: 'NL' }
    const hidden = { street: '*** string', country: 'NL' }
    expect(maskValue(schema, { home: address, others: [address], byName: { a: address, b: null } })).toEqual({
      home: hidden,
      others: [hidden],
      byName: { a: hidden, b: null },
    })
  })

  it('masks by every branch that a value might be of', () => {
    const other = { type: 'record', name: 'Other', fields: [{ name: 'street', type: 'string' }] }
    const schema = canonical([{ name: 'where', type: [other, ADDRESS] }])
    expect(maskValue(schema, { where: { street: 'x', country: 'y' } })).toEqual({
      where: { street: '*** string', country: 'y' },
    })
  })

  it('leaves alone what is not marked', () => {
    const schema = canonical([{ name: 'name', type: 'string', doc: 'not "pii" here' }])
    const value = { name: 'Ada', bytes: Buffer.from('x') }
    expect(hasMarkedFields(schema)).toBe(false)
    expect(maskValue(schema, value)).toBe(value)
  })
})
