/**
 * Longs that keep their sign. avsc computes in floats and silently turns a long below -2^52 into a positive neighbour, both
 * when it writes and when it reads. These types are exact for every long that a JavaScript number can hold.
 */
import avro, { type Type } from 'avsc'

/** avsc's cursor over bytes. */
interface Tap {
  readonly buf: Buffer
  pos: number
  readLong(): number
  writeLong(value: number): void
}

/** What avsc asks of a type; not in its typings. */
interface Internals {
  _read(tap: Tap): number
  _write(tap: Tap, value: unknown): void
  _update(resolver: Partial<Internals>, writer: Type): void
}

/** Between these avsc's integer arithmetic is exact, and faster. */
const FAST_LIMIT = 2 ** 30

/** The type to use for a `long`, `float` or `double`; undefined for every other schema. A type hook for avsc. */
export function exactNumberType(schema: unknown): Type | undefined {
  if (isPrimitive(schema, 'long')) return EXACT_LONG
  if (isPrimitive(schema, 'float')) return EXACT_FLOAT
  return isPrimitive(schema, 'double') ? EXACT_DOUBLE : undefined
}

const EXACT_LONG = override(new avro.types.LongType(), (original) => ({
  _read(tap) {
    const value = readLong(tap)
    if (!Number.isSafeInteger(value))
      throw new RangeError('a long lies beyond 2^53, which a JavaScript number cannot hold')
    return value
  },
  _write(tap, value) {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || Math.abs(value) < FAST_LIMIT)
      original._write(tap, value)
    else writeLargeLong(tap, value)
  },
}))
const EXACT_FLOAT = override(new avro.types.FloatType(), readsLongs)
const EXACT_DOUBLE = override(new avro.types.DoubleType(), readsLongs)

/** A float or double that reads what was written as a long. */
function readsLongs(original: Internals): Partial<Internals> {
  return {
    _update(resolver, writer) {
      if (writer.typeName === 'long') resolver._read = readLong
      else original._update(resolver, writer)
    },
  }
}

function override<T extends Type>(type: T, methodsOf: (original: Internals) => Partial<Internals>): T {
  const original = type as unknown as Internals
  const bound: Internals = {
    _read: (tap) => original._read(tap),
    _write: (tap, value) => original._write(tap, value),
    _update: (resolver, writer) => original._update(resolver, writer),
  }
  const properties = Object.entries(methodsOf(bound)).map(([name, value]) => [name, { value }] as const)
  return Object.freeze(Object.create(type, Object.fromEntries(properties)) as T)
}

/** A zigzag number from its sign bit and its half, so that no step needs more than the 53 bits the result has. */
function readLong(tap: Tap): number {
  const first = tap.buf[tap.pos++] ?? 0
  let half = (first & 0x7f) >> 1
  let byte = first
  for (let factor = 64; byte >= 0x80; factor *= 128) {
    byte = tap.buf[tap.pos++] ?? 0
    half += (byte & 0x7f) * factor
  }
  return (first & 1) === 0 ? half : -half - 1
}

function writeLargeLong(tap: Tap, value: number): void {
  const half = value >= 0 ? value : -value - 1
  let byte = (half % 64) * 2 + (value >= 0 ? 0 : 1)
  for (let rest = Math.floor(half / 64); rest > 0; rest = Math.floor(rest / 128)) {
    tap.buf[tap.pos++] = byte | 0x80
    byte = rest % 128
  }
  tap.buf[tap.pos++] = byte
}

function isPrimitive(schema: unknown, name: string): boolean {
  if (schema === name) return true
  return typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === name
}
