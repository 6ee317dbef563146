/**
 * Results of steps as JSON text. What JSON has no word for is written as `{"$laban": kind, "value": text}`, so that a result comes
 * back as it was said: undefined, bigint, Date, bytes, and the numbers that JSON lacks. Whatever else would be lost is refused.
 */

/** Why a value cannot be kept, and where in it. */
export class ValueProblem extends Error {
  readonly path: string

  constructor(path: string, problem: string) {
    super(problem)
    this.path = path
  }
}

const TAG = '$laban'

/** The value as text. A property that is undefined is left out, as in JSON. @throws ValueProblem */
export function encodeValue(value: unknown): string {
  return JSON.stringify(plain(value, 'result', []))
}

/** The value from its text: a copy that shares nothing with what was encoded. */
export function decodeValue(text: string): unknown {
  return revive(JSON.parse(text))
}

/** Not by a reviver of JSON.parse: what that makes undefined is removed. */
function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(revive)
  if (isTagged(value)) return untag(value)
  return fromEntries(Object.entries(value))
}

/** Defines properties instead of setting them: `__proto__` is a name like any other. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries.map(([name, value]) => [name, revive(value)]))
}

function plain(value: unknown, path: string, above: readonly object[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : tag('number', Object.is(value, -0) ? '-0' : value)
    case 'undefined':
      return tag('undefined', '')
    case 'bigint':
      return tag('bigint', value)
    case 'object':
      return value === null ? null : plainObject(value, path, above)
    default:
      throw new ValueProblem(path, `a ${typeof value} cannot be kept`)
  }
}

function plainObject(value: object, path: string, above: readonly object[]): unknown {
  if (above.includes(value)) throw new ValueProblem(path, 'it refers to itself')
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new ValueProblem(path, 'the date is not valid')
    return tag('date', value.toISOString())
  }
  if (value instanceof Uint8Array) return tag('bytes', Buffer.from(value).toString('base64'))
  const below = [...above, value]
  if (Array.isArray(value)) return Array.from(value, (item, index) => plain(item, `${path}[${index}]`, below))
  if (!isRecord(value)) throw new ValueProblem(path, `it is a ${value.constructor.name}; return plain data`)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([name, item]) => [name, plain(item, `${path}.${name}`, below)] as const)
  return entries.some(([name]) => name === TAG) ? { [TAG]: 'object', value: entries } : Object.fromEntries(entries)
}

/** Plain objects, and those of a class without methods, such as decoded events: all that they are is in their properties. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return (
    typeof prototype === 'object' &&
    Object.getPrototypeOf(prototype) === Object.prototype &&
    Object.getOwnPropertyNames(prototype).every((name) => name === 'constructor')
  )
}

interface Tagged {
  readonly $laban: string
  readonly value: unknown
}

function tag(kind: string, value: unknown): Tagged {
  return { [TAG]: kind, value: String(value) }
}

function isTagged(value: object): value is Tagged {
  return Object.hasOwn(value, TAG)
}

function untag({ $laban: kind, value }: Tagged): unknown {
  switch (kind) {
    case 'number':
      return Number(value)
    case 'bigint':
      return BigInt(String(value))
    case 'date':
      return new Date(String(value))
    case 'bytes':
      return Buffer.from(String(value), 'base64')
    case 'object':
      return fromEntries(value as readonly (readonly [string, unknown])[])
    default:
      return undefined
  }
}
