import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { avroType } from '../../../contracts/avro-type.ts'
import type { EventCodec } from '../../../contracts/codec.ts'
import { findIncompatibilities } from '../../../contracts/compatibility.ts'
import type { AvroSchema } from '../../../contracts/contract.ts'
import { createContractSet } from '../../../contracts/contract-set.ts'
import { createCodec } from '../../../contracts/create-codec.ts'
import { isLabanError } from '../../../contracts/errors.ts'
import { createFolderRegistry } from '../../../contracts/registry-folder.ts'
import { derivedSchemaId } from '../../../contracts/schema-ids.ts'
import { schemaAndValue } from './avro-arbitrary.ts'

const TOPIC = 'a.b'
const WHERE = { partition: 0, offset: 0 }

function codecFor(schema: AvroSchema): EventCodec {
  const contracts = createContractSet({ [TOPIC]: { schema } })
  const schemaIds = new Map([[TOPIC, derivedSchemaId(contracts.get(TOPIC).schemaText)]])
  return createCodec({ contracts, registry: createFolderRegistry(contracts), schemaIds })
}

describe('codec, for any schema and value', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(schemaAndValue, ({ schema, value }) => {
        const codec = codecFor(schema)
        expect(codec.decode(TOPIC, codec.encode(TOPIC, value), WHERE)).toStrictEqual({ value })
      }),
      { numRuns: 300 },
    )
  })

  it('answers changed bytes with a value or with a decode error, soon', () => {
    const change = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(schemaAndValue, change, fc.nat({ max: 20 }), ({ schema, value }, changes, cut) => {
        const codec = codecFor(schema)
        const bytes = Buffer.from(codec.encode(TOPIC, value))
        for (const [at, byte] of changes) if (bytes.length > 5) bytes[5 + (at % (bytes.length - 5))] = byte
        try {
          codec.decode(TOPIC, bytes.subarray(0, Math.max(5, bytes.length - cut)), WHERE)
        } catch (error) {
          expect(isLabanError(error) && error.code).toBe('LABAN_CONTRACT_DECODE')
        }
      }),
      { numRuns: 500, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: true },
    )
  })
})

describe('findIncompatibilities, for any two schemas', () => {
  it('agrees with whether avsc can build a resolver', () => {
    const evolved = schemaAndValue.chain(({ schema }) => fc.tuple(fc.constant(schema), evolve(schema)))
    fc.assert(
      fc.property(evolved, ([writer, reader]) => {
        const found = findIncompatibilities(canonicalOf(reader), canonicalOf(writer))
        expect(found.length === 0).toBe(avscReads(reader, writer))
      }),
      { numRuns: 500 },
    )
  })
})

function canonicalOf(schema: AvroSchema): AvroSchema {
  return createContractSet({ [TOPIC]: { schema } }).get(TOPIC).schema
}

function avscReads(reader: AvroSchema, writer: AvroSchema): boolean {
  try {
    avroType(reader).createResolver(avroType(writer))
    return true
  } catch {
    return false
  }
}

interface Field {
  readonly name: string
  readonly type: unknown
  readonly default?: unknown
}

/** The record with some fields dropped, added, widened or changed. */
function evolve(schema: AvroSchema): fc.Arbitrary<AvroSchema> {
  const record = schema as { fields: readonly Field[] }
  const changeOf = (field: Field): fc.Arbitrary<readonly Field[]> => {
    const widened = field.type === 'int' ? 'long' : field.type === 'long' ? 'double' : ['null', 'string']
    return fc.constantFrom<readonly Field[]>(
      [field],
      [field],
      [field],
      [],
      [{ ...field, type: widened }],
      [{ ...field, type: 'bytes' }],
    )
  }
  const added = fc.constantFrom<readonly Field[]>(
    [],
    [{ name: 'g', type: 'int', default: 0 }],
    [{ name: 'g', type: 'int' }],
  )
  return fc
    .tuple(fc.tuple(...record.fields.map(changeOf)), added)
    .map(([fields, more]) => ({ ...(schema as object), fields: [...fields.flat(), ...more] }))
}
