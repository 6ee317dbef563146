/** The mapping of columns to fields is checked as a whole before the first row, and says what it is about. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRowMapper, readRowMap, type RowMap, type RowMapper } from '../../../../cli/publish/row-map.ts'
import { createContractSet } from '../../../../contracts/index.ts'
import { emptyFolder } from '../../../harness/run-laban.ts'

const contract = createContractSet({
  'shop.order-placed': {
    schema: {
      type: 'record',
      name: 'OrderPlaced',
      namespace: 'shop',
      fields: [
        { name: 'amount', type: 'double' },
        { name: 'express', type: 'boolean', default: false },
        { name: 'note', type: 'string', default: '' },
        { name: 'coupon', type: ['null', 'string'], default: null },
      ],
    },
  },
}).get('shop.order-placed')

function mapper(columns: readonly string[] | undefined, map?: RowMap): RowMapper {
  return createRowMapper(contract, { file: 'orders.csv', map, columns })
}

function map(content: unknown): Promise<RowMap> {
  const file = join(emptyFolder(), 'map.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return readRowMap(file)
}

describe('without a map', () => {
  it('takes columns named like fields, leaves out what has a default, and names unused columns', () => {
    const rows = mapper(['amount', 'note', 'extra'])
    expect(rows.map({ line: 2, cells: { amount: '1.5', note: '', extra: 'x' } })).toEqual({
      value: { amount: 1.5, note: '' },
    })
    expect(rows.unused).toEqual(['extra'])
  })

  it('takes the default for an empty cell that is no text', () => {
    expect(mapper(['amount', 'express']).map({ line: 2, cells: { amount: '1', express: '' } })).toEqual({
      value: { amount: 1 },
    })
  })

  it('names a field that nothing fills and the column that is near', () => {
    expect(() => mapper(['amuont'])).toThrow(/nothing fills amount of shop\.order-placed.*did you mean "amuont"/)
  })

  it('gives the bad cell with column, field and what was expected', () => {
    expect(mapper(['amount']).map({ line: 2, cells: { amount: 'much' } })).toEqual({
      bad: { column: 'amount', field: 'amount', expected: 'a number', cell: 'much' },
    })
    expect(mapper(undefined).map({ line: 2, cells: {} })).toHaveProperty('bad.expected', 'a value')
  })
})

describe('with a map', () => {
  it('takes columns, conversions and constants', async () => {
    const rowMap = await map({
      amount: 'price.usd',
      express: { column: 'fast', as: 'boolean-from-01' },
      note: { value: 'imported' },
    })
    const rows = mapper(['price.usd', 'fast'], rowMap)
    expect(rows.map({ line: 2, cells: { 'price.usd': '3', fast: '1' } })).toEqual({
      value: { amount: 3, express: true, note: 'imported' },
    })
    expect(rows.map({ line: 3, cells: { 'price.usd': '3', fast: 'yes' } })).toHaveProperty('bad.expected', '0 or 1')
    expect(rows.columnOf('amount')).toBe('price.usd')
    expect(rows.columnOf('amount.cents')).toBe('price.usd')
  })

  it.each([
    [{ amuont: 'x' }, /no field of shop\.order-placed; did you mean "amount"/],
    [{ amount: 'y' }, /no column y/],
    [{ note: 'x' }, /nothing fills amount/],
  ])('refuses %j against the contract', async (content, problem) => {
    const rowMap = await map(content)
    expect(() => mapper(['x'], rowMap)).toThrow(problem)
  })

  it.each([
    ['{', 'cannot be read as JSON'],
    [{ amount: 3 }, "the map's amount must be"],
    [{ amount: { column: 'x', az: 'y' } }, "the map's amount must be"],
    [{ amount: { column: 'x', as: 'boolean-from-10' } }, 'did you mean "boolean-from-01"'],
  ])('refuses the file %j', async (content, problem) => {
    await expect(map(content)).rejects.toThrow(problem)
  })
})
