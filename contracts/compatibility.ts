/**
 * Avro schema resolution as a yes or no with reasons: which data written under one schema cannot be read under another, and
 * where. FULL_TRANSITIVE asks it in both directions against every released version.
 */
import type { AvroSchema } from './contract.ts'

/** One reason why data cannot be read; `path` is the field, as in `items.amount`, or `value` for the whole. */
export interface Incompatibility {
  readonly path: string
  readonly problem: string
}

/** An incompatibility with a released version. */
export interface VersionIncompatibility extends Incompatibility {
  readonly version: number
  /** `backward`: the new schema cannot read old data. `forward`: agents with the old schema cannot read new data. */
  readonly direction: 'backward' | 'forward'
}

/** Every reason why `schema` is not FULL_TRANSITIVE with the released versions; empty when it is. */
export function checkFullTransitive(
  schema: AvroSchema,
  released: readonly { readonly version: number; readonly schema: AvroSchema }[],
): readonly VersionIncompatibility[] {
  return released.flatMap(({ version, schema: old }) => [
    ...findIncompatibilities(schema, old).map((found) => ({ ...found, version, direction: 'backward' as const })),
    ...findIncompatibilities(old, schema).map((found) => ({ ...found, version, direction: 'forward' as const })),
  ])
}

/** Every reason why a reader with schema `reader` cannot read data written with `writer`; both must be canonical. */
export function findIncompatibilities(reader: AvroSchema, writer: AvroSchema): readonly Incompatibility[] {
  return new Comparison(namesIn(reader), namesIn(writer)).compare(reader, writer, [])
}

type Complex = Readonly<Record<string, unknown>>
type Names = ReadonlyMap<string, Complex>

interface Field {
  readonly name: string
  readonly type: AvroSchema
  readonly aliases?: readonly string[]
}

/** Writer type to the reader types it may be promoted to. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

class Comparison {
  private readonly readerNames: Names
  private readonly writerNames: Names
  /** Pairs of records under comparison: a recursive type is compatible if nothing else is wrong. */
  private readonly open = new Set<string>()

  constructor(readerNames: Names, writerNames: Names) {
    this.readerNames = readerNames
    this.writerNames = writerNames
  }

  compare(reader: AvroSchema, writer: AvroSchema, path: readonly string[]): readonly Incompatibility[] {
    if (isUnion(writer)) {
      return writer.flatMap((branch) => this.compare(reader, branch, path))
    }
    if (isUnion(reader)) return this.compareToUnion(reader, writer, path)
    const readerType = typeOf(reader, this.readerNames)
    const writerType = typeOf(writer, this.writerNames)
    if (typeof readerType === 'string' || typeof writerType === 'string') {
      return comparePrimitives(readerType, writerType, path)
    }
    return this.compareComplex(readerType, writerType, path)
  }

  private compareToUnion(
    reader: readonly AvroSchema[],
    writer: AvroSchema,
    path: readonly string[],
  ): readonly Incompatibility[] {
    const reasons = reader.map((branch) => this.compare(branch, writer, path))
    if (reasons.some((found) => found.length === 0)) return []
    const written = describe(typeOf(writer, this.writerNames))
    const closest = reasons.find((found) => found.some(({ path: at }) => at !== show(path)))
    if (closest !== undefined) return closest
    const branches = reader.map((branch) => describe(typeOf(branch, this.readerNames))).join(', ')
    return [
      { path: show(path), problem: `${written} was written, which the reader's union (${branches}) does not have` },
    ]
  }

  private compareComplex(reader: Complex, writer: Complex, path: readonly string[]): readonly Incompatibility[] {
    const kind = reader['type']
    if (kind !== writer['type']) return [mismatch(reader, writer, path)]
    if (kind === 'array')
      return this.compare(reader['items'] as AvroSchema, writer['items'] as AvroSchema, [...path, '[]'])
    if (kind === 'map')
      return this.compare(reader['values'] as AvroSchema, writer['values'] as AvroSchema, [...path, '{}'])
    if (!sameName(reader, writer)) return [mismatch(reader, writer, path)]
    if (kind === 'enum') return compareEnums(reader, writer, path)
    if (kind === 'fixed') {
      if (reader['size'] === writer['size']) return []
      return [{ path: show(path), problem: `size changed from ${String(writer['size'])} to ${String(reader['size'])}` }]
    }
    return this.compareRecords(reader, writer, path)
  }

  private compareRecords(reader: Complex, writer: Complex, path: readonly string[]): readonly Incompatibility[] {
    const pair = `${String(reader['name'])} ${String(writer['name'])}`
    if (this.open.has(pair)) return []
    this.open.add(pair)
    const written = new Map((writer['fields'] as readonly Field[]).map((field) => [field.name, field]))
    const found = (reader['fields'] as readonly Field[]).flatMap((field) => {
      const source = [field.name, ...(field.aliases ?? [])]
        .map((name) => written.get(name))
        .find((match) => match !== undefined)
      const at = [...path, field.name]
      if (source !== undefined) return this.compare(field.type, source.type, at)
      return 'default' in field
        ? []
        : [{ path: show(at), problem: 'the writer does not have this field and it has no default' }]
    })
    this.open.delete(pair)
    return found
  }
}

function comparePrimitives(
  reader: string | Complex,
  writer: string | Complex,
  path: readonly string[],
): Incompatibility[] {
  if (reader === writer) return []
  if (typeof reader === 'string' && typeof writer === 'string' && PROMOTIONS[writer]?.includes(reader) === true)
    return []
  return [mismatch(reader, writer, path)]
}

function compareEnums(reader: Complex, writer: Complex, path: readonly string[]): Incompatibility[] {
  if ('default' in reader) return []
  const known = reader['symbols'] as readonly string[]
  const strangers = (writer['symbols'] as readonly string[]).filter((symbol) => !known.includes(symbol))
  if (strangers.length === 0) return []
  return [{ path: show(path), problem: `the reader does not know ${strangers.join(', ')} and has no default symbol` }]
}

function sameName(reader: Complex, writer: Complex): boolean {
  const name = String(reader['name'])
  const namespace = name.slice(0, name.lastIndexOf('.') + 1)
  const aliases = ((reader['aliases'] ?? []) as readonly string[]).map((alias) =>
    alias.includes('.') ? alias : namespace + alias,
  )
  return [name, ...aliases].includes(String(writer['name']))
}

function mismatch(reader: string | Complex, writer: string | Complex, path: readonly string[]): Incompatibility {
  return { path: show(path), problem: `${describe(writer)} was written, ${describe(reader)} is expected` }
}

function describe(type: string | Complex): string {
  if (typeof type === 'string') return type
  return 'name' in type ? `${String(type['type'])} ${String(type['name'])}` : String(type['type'])
}

/** A primitive's name, or the definition of a complex type; logical types count as what they are made of. */
function typeOf(schema: AvroSchema, names: Names): string | Complex {
  if (typeof schema === 'string') return names.get(schema) ?? schema
  const { type } = schema as Complex
  const isPrimitive = typeof type === 'string' && !['record', 'error', 'enum', 'fixed', 'array', 'map'].includes(type)
  return isPrimitive ? type : (schema as Complex)
}

/** Definitions in a canonical schema by full name. */
function namesIn(schema: AvroSchema, names = new Map<string, Complex>()): Names {
  if (isUnion(schema)) for (const branch of schema) namesIn(branch, names)
  else if (typeof schema === 'object') {
    const complex = schema as Complex
    if (typeof complex['name'] === 'string') names.set(complex['name'], complex)
    for (const field of (complex['fields'] ?? []) as readonly Field[]) namesIn(field.type, names)
    for (const key of ['items', 'values']) if (key in complex) namesIn(complex[key] as AvroSchema, names)
  }
  return names
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema)
}

function show(path: readonly string[]): string {
  return path.length === 0 ? 'value' : path.join('.').replaceAll('.[]', '[]').replaceAll('.{}', '{}')
}
