import { describe, expect, it } from 'vitest'
import { canonicalSchema } from '../../../contracts/canonical-schema.ts'
import { checkFullTransitive, findIncompatibilities } from '../../../contracts/compatibility.ts'
import type { AvroSchema } from '../../../contracts/contract.ts'

function record(...fields: readonly object[]): AvroSchema {
  const result = canonicalSchema({ type: 'record', name: 'Order', namespace: 'shop', fields }, () => undefined)
  if ('schema' in result) return result.schema
  throw new TypeError(result.problem)
}
const color = (symbols: readonly string[], more: object = {}): object => ({
  type: 'enum',
  name: 'Color',
  symbols,
  ...more,
})
const line = (...fields: readonly object[]): object => ({
  type: 'array',
  items: { type: 'record', name: 'Line', fields },
})
const A = { name: 'a', type: 'int' }

describe('findIncompatibilities', () => {
  it.each([
    ['the same', record(A), record(A)],
    ['a field that only the writer has', record(A), record(A, { name: 'b', type: 'int' })],
    ['a field with default that only the reader has', record(A, { name: 'b', type: 'int', default: 0 }), record(A)],
    ['int read as long', record({ name: 'a', type: 'long' }), record(A)],
    ['a value read as optional', record({ name: 'a', type: ['null', 'int'] }), record(A)],
    ['a renamed field with alias', record({ name: 'b', type: 'int', aliases: ['a'] }), record(A)],
    [
      'a symbol the reader lacks, with default',
      record({ name: 'c', type: color(['x'], { default: 'x' }) }),
      record({ name: 'c', type: color(['x', 'y']) }),
    ],
    ['another doc', record({ ...A, doc: 'one' }), record({ ...A, doc: 'two' })],
  ])('%s is readable', (_what, reader, writer) => {
    expect(findIncompatibilities(reader, writer)).toEqual([])
  })

  it.each([
    ['a field without default', record(A, { name: 'b', type: 'int' }), record(A), 'b', /no default/],
    ['another type', record({ name: 'a', type: 'string' }), record(A), 'a', /int was written, string is expected/],
    ['long read as int', record(A), record({ name: 'a', type: 'long' }), 'a', /long was written, int is expected/],
    [
      'an optional value read as required',
      record(A),
      record({ name: 'a', type: ['null', 'int'] }),
      'a',
      /null was written, int is/,
    ],
    [
      'a branch that the reader lacks',
      record({ name: 'a', type: ['null', 'string'] }),
      record(A),
      'a',
      /int was written.*\(null, string\)/,
    ],
    [
      'a symbol without default',
      record({ name: 'c', type: color(['x']) }),
      record({ name: 'c', type: color(['x', 'y']) }),
      'c',
      /does not know y/,
    ],
    [
      'a field inside a list',
      record({ name: 'l', type: line(A, { name: 'b', type: 'int' }) }),
      record({ name: 'l', type: line(A) }),
      'l[].b',
      /no default/,
    ],
    [
      'a field inside an optional record',
      record({ name: 'o', type: ['null', { type: 'record', name: 'In', fields: [A, { name: 'b', type: 'int' }] }] }),
      record({ name: 'o', type: ['null', { type: 'record', name: 'In', fields: [A] }] }),
      'o.b',
      /no default/,
    ],
    [
      'a map of another type',
      record({ name: 'm', type: { type: 'map', values: 'int' } }),
      record({ name: 'm', type: { type: 'map', values: 'string' } }),
      'm{}',
      /string was written/,
    ],
    [
      'a fixed of another size',
      record({ name: 'f', type: { type: 'fixed', name: 'F', size: 2 } }),
      record({ name: 'f', type: { type: 'fixed', name: 'F', size: 4 } }),
      'f',
      /size changed from 4 to 2/,
    ],
  ])('%s is not, at its path', (_what, ...expected) => {
    const [reader, writer, path, problem] = expected
    const found = findIncompatibilities(reader, writer)
    expect(found).toHaveLength(1)
    expect(found[0]?.path).toBe(path)
    expect(found[0]?.problem).toMatch(problem)
  })

  it('ends on types that contain themselves', () => {
    const tree = record(A, { name: 'children', type: { type: 'array', items: 'Order' }, default: [] })
    const taller = record(
      { name: 'a', type: 'long' },
      { name: 'children', type: { type: 'array', items: 'Order' }, default: [] },
    )
    expect(findIncompatibilities(tree, tree)).toEqual([])
    expect(findIncompatibilities(tree, taller).map(({ path }) => path)).toEqual(['a'])
  })
})

describe('checkFullTransitive', () => {
  const one = { version: 1, schema: record(A) }

  it('says which version and which direction breaks', () => {
    const found = checkFullTransitive(record(A, { name: 'b', type: 'int' }), [one])
    expect(found).toEqual([{ version: 1, direction: 'backward', path: 'b', problem: expect.any(String) as string }])
    expect(checkFullTransitive(record(), [one])).toMatchObject([{ direction: 'forward', path: 'a' }])
  })

  it('looks at every version', () => {
    const two = { version: 2, schema: record(A, { name: 'b', type: 'string', default: '' }) }
    const three = { version: 3, schema: record(A) }
    expect(checkFullTransitive(record(A, { name: 'b', type: 'int', default: 0 }), [one, two, three])).toMatchObject([
      { version: 2, direction: 'backward', path: 'b' },
      { version: 2, direction: 'forward', path: 'b' },
    ])
  })
})
