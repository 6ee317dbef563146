/** Random Avro schemas with values that fit them, as far as laban allows schemas. */
import fc from 'fast-check'
import type { AvroSchema } from '../../../contracts/contract.ts'

/** A type and a generator of its values. */
interface Typed {
  readonly type: unknown
  readonly value: fc.Arbitrary<unknown>
}

const SAFE_LONG = fc.integer({ min: -(2 ** 53) + 2, max: 2 ** 53 - 2 })
const PRIMITIVES: readonly Typed[] = [
  { type: 'boolean', value: fc.boolean() },
  { type: 'int', value: fc.integer() },
  { type: 'long', value: SAFE_LONG },
  { type: 'double', value: fc.double({ noNaN: true }) },
  { type: 'string', value: fc.string({ unit: 'grapheme' }) },
]

/** A name that no other type of the same schema has. */
let names = 0
const freshName = (): string => `n.T${names++}`

const primitive = fc.constantFrom(...PRIMITIVES)
const enumeration = fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'D'), { minLength: 1 }).map((symbols): Typed => {
  return { type: { type: 'enum', name: freshName(), symbols, default: symbols[0] }, value: fc.constantFrom(...symbols) }
})

const typed: fc.Arbitrary<Typed> = fc.letrec<{ any: Typed; record: Typed }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    primitive,
    enumeration,
    primitive.map(({ type, value }) => ({ type: ['null', type], value: fc.option(value, { nil: null }) })),
    tie('any').map(({ type, value }) => ({
      type: { type: 'array', items: type },
      value: fc.array(value, { maxLength: 4 }),
    })),
    tie('any').map(({ type, value }) => {
      const keys = fc.string({ maxLength: 3 }).filter((key) => key !== '__proto__')
      return {
        type: { type: 'map', values: type },
        value: fc.dictionary(keys, value, { maxKeys: 3, noNullPrototype: true }),
      }
    }),
    tie('record'),
  ),
  record: fc.array(tie('any'), { minLength: 1, maxLength: 4 }).map(recordOf),
})).record

function recordOf(fields: readonly Typed[]): Typed {
  const named = fields.map(({ type }, index) => ({ name: `f${index}`, type }))
  const values = Object.fromEntries(fields.map(({ value }, index) => [`f${index}`, value]))
  return {
    type: { type: 'record', name: freshName(), fields: named },
    value: fc.record(values, { noNullPrototype: true }),
  }
}

/** A record schema and one value of it. */
export const schemaAndValue: fc.Arbitrary<{ schema: AvroSchema; value: unknown }> = typed.chain(({ type, value }) => {
  return value.map((one) => ({ schema: type as AvroSchema, value: one }))
})
