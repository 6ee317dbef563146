/** Builds avsc types the one way laban uses them: unions unwrapped, longs exact, records as plain objects. */
import avro, { type Type } from 'avsc'
import type { AvroSchema } from './contract.ts'
import { exactNumberType } from './exact-long.ts'

/**
 * The avsc type of a schema. Decoded records are plain objects: same prototype as a literal, so that they compare, clone and
 * print like one. Unions with two branches that JavaScript cannot tell apart are refused.
 * @throws Error of avsc when the schema is not valid
 */
export function avroType(schema: AvroSchema): Type {
  const type = avro.Type.forSchema(structuredClone(schema) as Parameters<typeof avro.Type.forSchema>[0], {
    wrapUnions: 'never',
    omitRecordMethods: true,
    typeHook: exactNumberType,
  })
  plainRecords(type, new Set())
  return type
}

function plainRecords(type: Type, seen: Set<Type>): void {
  if (seen.has(type)) return
  seen.add(type)
  if (type instanceof avro.types.RecordType) {
    const make = type.recordConstructor as { prototype: unknown }
    make.prototype = Object.prototype
    for (const field of type.fields) plainRecords(field.type, seen)
  } else if (type instanceof avro.types.ArrayType) plainRecords(type.itemsType, seen)
  else if (type instanceof avro.types.MapType) plainRecords(type.valuesType as Type, seen)
  else if (type instanceof avro.types.UnwrappedUnionType) for (const branch of type.types) plainRecords(branch, seen)
}
