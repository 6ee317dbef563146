/** Turns one cell into the value of one contract field, by the field's Avro type. It never guesses: what does not fit is refused. */
import { nearestName, type AvroSchema } from '../../contracts/index.ts'
import type { Converted } from './conversions.ts'

/** A cell as read: text from CSV, any JSON value from JSON lines. */
export type CellConverter = (cell: unknown) => Converted

const INT_LIMIT = 2 ** 31
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

const PRIMITIVES: Readonly<Record<string, CellConverter>> = {
  string: (cell) => (typeof cell === 'string' ? { value: cell } : { expected: 'text' }),
  boolean: toBoolean,
  int: (cell) => toInteger(cell, INT_LIMIT, 'an integer of 32 bits'),
  long: (cell) => toInteger(cell, Number.MAX_SAFE_INTEGER + 1, 'an integer below 2^53'),
  float: toNumber,
  double: toNumber,
  null: (cell) => (cell === null || cell === '' ? { value: null } : { expected: 'nothing' }),
  bytes: (cell) => (typeof cell === 'string' ? { value: Buffer.from(cell, 'utf8') } : { expected: 'text' }),
}

/** Makes the converter of a type. */
export function cellConverter(schema: AvroSchema): CellConverter {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? toJson
  if (Array.isArray(schema)) return unionConverter(schema as readonly AvroSchema[])
  const { type, symbols } = schema as { readonly type?: AvroSchema; readonly symbols?: readonly string[] }
  if (type === 'enum') return (cell) => toSymbol(cell, symbols ?? [])
  if (typeof type === 'string' && type in PRIMITIVES) return PRIMITIVES[type] ?? toJson
  return toJson
}

/** An empty cell is null where null is allowed; else the first branch that fits counts. */
function unionConverter(branches: readonly AvroSchema[]): CellConverter {
  const isNullable = branches.includes('null')
  const converters = branches.filter((branch) => branch !== 'null').map(cellConverter)
  return (cell) => {
    if (isNullable && (cell === null || cell === '')) return { value: null }
    const results = converters.map((convert) => convert(cell))
    const fitting = results.find((result) => 'value' in result)
    if (fitting !== undefined) return fitting
    return { expected: results.flatMap((result) => ('expected' in result ? [result.expected] : [])).join(' or ') }
  }
}

function toBoolean(cell: unknown): Converted {
  if (typeof cell === 'boolean') return { value: cell }
  const text = typeof cell === 'string' ? cell.trim().toLowerCase() : ''
  return text === 'true' || text === 'false' ? { value: text === 'true' } : { expected: 'true or false' }
}

function toNumber(cell: unknown): Converted {
  if (typeof cell === 'number') return { value: cell }
  const text = typeof cell === 'string' ? cell.trim() : ''
  return NUMBER.test(text) ? { value: Number(text) } : { expected: 'a number' }
}

function toInteger(cell: unknown, limit: number, expected: string): Converted {
  const number = toNumber(cell)
  const value = 'value' in number ? (number.value as number) : NaN
  return Number.isInteger(value) && value >= -limit && value < limit ? { value } : { expected }
}

function toSymbol(cell: unknown, symbols: readonly string[]): Converted {
  if (typeof cell === 'string' && symbols.includes(cell)) return { value: cell }
  const near = typeof cell === 'string' ? nearestName(cell, symbols) : undefined
  return {
    expected: near === undefined ? `one of ${symbols.join(', ')}` : `one of ${symbols.length} symbols, such as ${near}`,
  }
}

/** Records, arrays and maps: JSON in a cell; JSON lines have them as they are. */
function toJson(cell: unknown): Converted {
  if (typeof cell !== 'string') return { value: cell }
  try {
    return { value: JSON.parse(cell) }
  } catch {
    return { expected: 'JSON' }
  }
}
