/** Draws values that fit an Avro schema: for first events of topics of which no sample is at hand. */
import type { Random } from './random.ts'

type Named = Map<string, unknown>
type Schema = Readonly<Record<string, unknown>>

const MAX_ITEMS = 3
/** A schema that contains itself has to end somewhere. */
const MAX_DEPTH = 5
const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'heath', 'Ünïcode ✓']

/** Least and greatest value of a number. */
interface Bounds {
  readonly min: number
  readonly max: number
}

/** A value of a contract's schema. Bounds that its rules set for numbers of the event itself are kept; other rules are left to luck. */
export function arbitraryValue({ schema, rules }: ArbitraryContract, random: Random): unknown {
  const value = draw(schema, random, new Map(), 0)
  if (typeof value !== 'object' || value === null) return value
  const bounded = Object.entries(boundsOf(rules)).flatMap(([field, { min, max }]): [string, number][] => {
    const drawn: unknown = (value as Readonly<Record<string, unknown>>)[field]
    if (typeof drawn !== 'number') return []
    const inside = min + random.next() * (max - min)
    return [[field, isWhole(schema, field) ? Math.floor(inside) : inside]]
  })
  return { ...value, ...Object.fromEntries(bounded) }
}

/** What is looked at of a contract. */
export interface ArbitraryContract {
  readonly schema: unknown
  readonly rules: readonly { readonly expression: string }[]
}

/** `event.score >= 300`, `event.rate < 1.0` */
const COMPARISON = /\bevent\.(\w+)\s*(>=?|<=?)\s*(-?\d+(?:\.\d+)?)/g
/** Room above a number that is only bounded from below, and the other way round. */
const ROOM = 1_000

function boundsOf(rules: ArbitraryContract['rules']): Readonly<Record<string, Bounds>> {
  const lows = new Map<string, number>()
  const highs = new Map<string, number>()
  for (const { expression } of rules) {
    for (const [, field = '', operator = '', number] of expression.matchAll(COMPARISON)) {
      if (operator.startsWith('>')) lows.set(field, Number(number))
      else highs.set(field, Number(number))
    }
  }
  const fields = new Set([...lows.keys(), ...highs.keys()])
  return Object.fromEntries(
    [...fields].map((field) => {
      const min = lows.get(field) ?? (highs.get(field) ?? 0) - ROOM
      return [field, { min, max: highs.get(field) ?? min + ROOM }]
    }),
  )
}

function isWhole(schema: unknown, field: string): boolean {
  const fields = (schema as { readonly fields?: readonly { readonly name: string; readonly type: unknown }[] }).fields
  const type = fields?.find(({ name }) => name === field)?.type
  return type === 'int' || type === 'long'
}

function draw(schema: unknown, random: Random, named: Named, depth: number): unknown {
  if (Array.isArray(schema)) return drawUnion(schema as readonly unknown[], random, named, depth)
  if (typeof schema === 'string') {
    return named.has(schema) ? draw(named.get(schema), random, named, depth + 1) : drawPrimitive(schema, random)
  }
  const { name, namespace } = schema as { name?: string; namespace?: string }
  if (name !== undefined) {
    named.set(name, schema)
    if (namespace !== undefined) named.set(`${namespace}.${name}`, schema)
  }
  return drawComplex(schema as Schema, random, named, depth)
}

function drawComplex(schema: Schema, random: Random, named: Named, depth: number): unknown {
  const { type } = schema as { readonly type?: unknown }
  switch (type) {
    case 'record': {
      const fields = schema['fields'] as readonly { readonly name: string; readonly type: unknown }[]
      return Object.fromEntries(fields.map((field) => [field.name, draw(field.type, random, named, depth + 1)]))
    }
    case 'enum':
      return random.pick(schema['symbols'] as readonly string[])
    case 'array':
      return many(random, depth, () => draw(schema['items'], random, named, depth + 1))
    case 'map': {
      const values = many(random, depth, () => draw(schema['values'], random, named, depth + 1))
      return Object.fromEntries(values.map((value, index) => [`k${index}`, value]))
    }
    case 'fixed':
      return Buffer.alloc(schema['size'] as number, random.between(0, 255))
    default:
      return draw(type, random, named, depth)
  }
}

function drawUnion(branches: readonly unknown[], random: Random, named: Named, depth: number): unknown {
  const chosen = depth > MAX_DEPTH && branches.includes('null') ? 'null' : random.pick(branches)
  return chosen === 'null' ? null : draw(chosen, random, named, depth + 1)
}

function many(random: Random, depth: number, one: () => unknown): unknown[] {
  const count = depth > MAX_DEPTH ? 0 : random.between(0, MAX_ITEMS)
  return Array.from({ length: count }, one)
}

function drawPrimitive(type: string, random: Random): unknown {
  switch (type) {
    case 'boolean':
      return random.chance(0.5)
    case 'int':
      return random.between(-10, 1_000)
    case 'long':
      return random.between(0, 2 ** 31)
    case 'float':
    case 'double':
      return random.between(0, 4_000) / 4
    case 'bytes':
      return Buffer.from(`bytes ${random.between(0, 99)}`)
    case 'null':
      return null
    default:
      return `${random.pick(WORDS)} ${random.between(0, 9_999)}`
  }
}
