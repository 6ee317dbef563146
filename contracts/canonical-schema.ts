/**
 * The one form in which a schema is registered, compared and hashed: named types inlined at first use, full names, attributes
 * in a fixed order, no white space. Two files that say the same give the same text.
 */
import type { AvroSchema } from './contract.ts'

/** A schema that stands alone. */
export interface CanonicalSchema {
  readonly schema: AvroSchema
  readonly schemaText: string
}

/** A schema broke a rule; `path` is where, as in `fields.amount.type`. */
export interface SchemaProblem {
  readonly path: string
  readonly problem: string
}

/** Answer of a {@link NamedTypes} look-up. */
export type NamedTypes = (fullName: string) => AvroSchema | undefined

const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const NAMED = new Set(['record', 'error', 'enum', 'fixed'])
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Names that JavaScript objects already have: a field called so could not be read back safely. */
const RESERVED_FIELDS = new Set(['__proto__', 'constructor', 'prototype'])
const ATTRIBUTE_ORDER = [
  'type',
  'name',
  'doc',
  'aliases',
  'logicalType',
  'precision',
  'scale',
  'size',
  'symbols',
  'items',
  'values',
  'fields',
  'default',
  'order',
]

/** Canonical form of a schema; `findNamed` gives types that are defined in other files. Returns the first problem instead. */
export function canonicalSchema(schema: unknown, findNamed: NamedTypes): CanonicalSchema | SchemaProblem {
  try {
    const canonical = new Canonicalizer(findNamed).visit(schema, '', '')
    return { schema: canonical, schemaText: JSON.stringify(canonical) }
  } catch (error) {
    if (error instanceof Problem) return { path: error.path, problem: error.problem }
    throw error
  }
}

/** Carries a problem up to {@link canonicalSchema}; never leaves this file. */
class Problem extends Error {
  readonly path: string
  readonly problem: string

  constructor(path: string, problem: string) {
    super(problem)
    this.path = path
    this.problem = problem
  }
}

type JsonObject = Readonly<Record<string, unknown>>

class Canonicalizer {
  private readonly findNamed: NamedTypes
  /** Full names that stand in the output already; from then on a name is enough. */
  private readonly defined = new Set<string>()

  constructor(findNamed: NamedTypes) {
    this.findNamed = findNamed
  }

  visit(schema: unknown, namespace: string, path: string): AvroSchema {
    if (typeof schema === 'string') return this.visitName(schema, namespace, path)
    if (Array.isArray(schema)) {
      return schema.map((branch: unknown, index) => this.visit(branch, namespace, join(path, String(index))))
    }
    if (!isObject(schema)) throw new Problem(path, `expected a type, found ${JSON.stringify(schema)}`)
    const type = schema['type']
    if (typeof type === 'string' && NAMED.has(type)) return this.visitNamed(schema, type, namespace, path)
    if (type === 'array')
      return this.copy(schema, path, { items: this.visit(schema['items'], namespace, join(path, 'items')) })
    if (type === 'map')
      return this.copy(schema, path, { values: this.visit(schema['values'], namespace, join(path, 'values')) })
    if (typeof type === 'string' && PRIMITIVES.has(type)) {
      return Object.keys(schema).length === 1 ? type : this.copy(schema, path, {})
    }
    return this.visit(type, namespace, join(path, 'type'))
  }

  private visitName(name: string, namespace: string, path: string): AvroSchema {
    if (PRIMITIVES.has(name)) return name
    const fullName = qualify(name, namespace)
    if (this.defined.has(fullName)) return fullName
    const definition = this.findNamed(fullName)
    if (definition === undefined) throw new Problem(path, `type ${fullName} is defined nowhere`)
    return this.visit(definition, '', path)
  }

  private visitNamed(schema: JsonObject, type: string, namespace: string, path: string): AvroSchema {
    const { name, namespace: ownNamespace } = schema
    if (typeof name !== 'string') throw new Problem(path, `a ${type} needs a name`)
    const fullName = qualify(name, typeof ownNamespace === 'string' ? ownNamespace : namespace)
    if (!fullName.includes('.')) throw new Problem(path, `${type} ${name} needs a namespace`)
    if (!fullName.split('.').every((part) => NAME.test(part)))
      throw new Problem(path, `"${fullName}" is not an Avro name`)
    if (this.defined.has(fullName)) throw new Problem(path, `type ${fullName} is defined twice`)
    this.defined.add(fullName)
    if (type === 'enum' || type === 'fixed') return this.copy(schema, path, { name: fullName })
    const innerNamespace = fullName.slice(0, fullName.lastIndexOf('.'))
    const fields = schema['fields']
    if (!Array.isArray(fields)) throw new Problem(path, `record ${fullName} needs a list of fields`)
    const visited = fields.map((field: unknown) => this.visitField(field, innerNamespace, join(path, 'fields')))
    return this.copy(schema, path, { name: fullName, fields: visited })
  }

  private visitField(field: unknown, namespace: string, path: string): AvroSchema {
    if (!isObject(field) || typeof field['name'] !== 'string') throw new Problem(path, 'a field needs a name')
    const name = field['name']
    if (!NAME.test(name) || RESERVED_FIELDS.has(name))
      throw new Problem(path, `"${name}" cannot be the name of a field`)
    const type = this.visit(field['type'], namespace, join(path, name))
    return this.copy(field, path, { type })
  }

  /** Attributes in canonical order, the given ones replaced; unknown attributes follow, sorted. */
  private copy(source: JsonObject, path: string, replaced: JsonObject): AvroSchema {
    const known = ATTRIBUTE_ORDER.filter((key) => key in source || key in replaced)
    const others = Object.keys(source)
      .filter((key) => !ATTRIBUTE_ORDER.includes(key) && key !== 'namespace')
      .toSorted()
    const entries = [...known, ...others].map((key) => [key, key in replaced ? replaced[key] : source[key]] as const)
    if (entries.some(([, value]) => value === undefined)) throw new Problem(path, 'an attribute is empty')
    return Object.fromEntries(entries)
  }
}

function qualify(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function join(path: string, part: string): string {
  return path === '' ? part : `${path}.${part}`
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
