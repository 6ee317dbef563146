/**
 * Hides what a contract marks as personal: an attribute `"pii": true` on a field, or on a type. Rule: what might be marked is masked;
 * where a union leaves open which branch a value is of, the marks of all of them count.
 */
import type { AvroSchema } from './contract.ts'

/** True when anything in the schema is marked. */
export function hasMarkedFields(schema: AvroSchema): boolean {
  return JSON.stringify(schema).includes('"pii":true')
}

/** The value with each marked part replaced by `*** <type>`, for example `*** string`; shares what is not marked with the original. */
export function maskValue(schema: AvroSchema, value: unknown): unknown {
  return hasMarkedFields(schema) ? new Mask(schema).mask(schema, value) : value
}

type JsonObject = Readonly<Record<string, unknown>>

class Mask {
  /** Types by full name: after its definition a canonical schema names a type only. */
  readonly #named = new Map<string, JsonObject>()

  constructor(schema: AvroSchema) {
    this.#collect(schema)
  }

  mask(schema: AvroSchema, value: unknown): unknown {
    if (typeof schema === 'string') {
      const named = this.#named.get(schema)
      return named === undefined ? value : this.mask(named, value)
    }
    if (isList(schema)) return schema.reduce((masked: unknown, branch) => this.mask(branch, masked), value)
    if (schema['pii'] === true) return hidden(schema)
    if (isObject(schema['type'])) return this.mask(schema['type'], value)
    if (Array.isArray(schema['fields']) && isObject(value)) return this.#maskFields(schema['fields'], value)
    if (schema['type'] === 'array' && Array.isArray(value)) {
      return value.map((item: unknown) => this.mask(schema['items'] as AvroSchema, item))
    }
    if (schema['type'] === 'map' && isObject(value)) {
      return mapValues(value, (item) => this.mask(schema['values'] as AvroSchema, item))
    }
    return value
  }

  #maskFields(fields: readonly JsonObject[], value: JsonObject): JsonObject {
    const byName = new Map(fields.map((field) => [field['name'], field]))
    return mapValues(value, (item, name) => {
      const field = byName.get(name)
      if (field === undefined) return item
      return field['pii'] === true ? hidden(field['type'] as AvroSchema) : this.mask(field['type'] as AvroSchema, item)
    })
  }

  #collect(schema: unknown): void {
    if (Array.isArray(schema)) return schema.forEach((branch) => this.#collect(branch))
    if (!isObject(schema)) return
    if (typeof schema['name'] === 'string' && 'type' in schema) this.#named.set(schema['name'], schema)
    for (const part of ['type', 'items', 'values', 'fields']) this.#collect(schema[part])
  }
}

function hidden(schema: AvroSchema): string {
  return `*** ${typeName(schema)}`
}

/** The type as people name it; of a union what is not null. */
function typeName(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema
  if (isList(schema)) {
    return schema
      .map(typeName)
      .filter((name) => name !== 'null')
      .join(' or ')
  }
  const { logicalType, name, type } = schema as { logicalType?: unknown; name?: unknown; type?: unknown }
  const found = [logicalType, name].find((word) => typeof word === 'string') ?? type
  return typeof found === 'string' ? found : typeName(found as AvroSchema)
}

function mapValues(value: JsonObject, change: (item: unknown, name: string) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item, name)]))
}

function isList(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
}
