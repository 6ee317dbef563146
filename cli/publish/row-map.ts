/** Says which column fills which contract field: read from a map file, or column names that are field names. Checked before the first row. */
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { didYouMean, type AvroSchema, type LabanError, type TopicContract } from '../../contracts/index.ts'
import { cellConverter, type CellConverter } from './convert-cell.ts'
import { CONVERSIONS, isConversion, type ConversionName } from './conversions.ts'
import { unusable, type InputRow } from './read-rows.ts'

const mapSchema = z.record(
  z.string(),
  z.union([
    z.string(),
    z.strictObject({ column: z.string(), as: z.string().optional() }),
    z.strictObject({ value: z.unknown() }),
  ]),
)

/** Where the value of a field comes from. */
export type FieldSource =
  { readonly column: string; readonly as?: ConversionName | undefined } | { readonly value: unknown }

/** Contract field to source. */
export type RowMap = ReadonlyMap<string, FieldSource>

/** A cell that does not fit. */
export interface BadCell {
  readonly column: string
  readonly field: string
  readonly expected: string
  readonly cell: unknown
}

/** A row as a value of the contract, or its first bad cell. */
export type MappedRow = { readonly value: Readonly<Record<string, unknown>> } | { readonly bad: BadCell }

/** Turns rows into values. */
export interface RowMapper {
  map(row: InputRow): MappedRow
  /** The column behind a path of the contract, for errors of the codec. */
  columnOf(path: string): string
  /** Columns of the file that no field takes. */
  readonly unused: readonly string[]
}

interface Field {
  readonly name: string
  readonly type: AvroSchema
  readonly hasDefault: boolean
}

/** Reads a map file. @throws LABAN_PUBLISH_INPUT naming the entry */
export async function readRowMap(file: string): Promise<RowMap> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw unusable(file, 'the map cannot be read as JSON', error)
  }
  const result = mapSchema.safeParse(content)
  if (!result.success) {
    const path = result.error.issues[0]?.path.join('.') ?? ''
    throw unusable(file, `the map's ${path} must be "<column>", { "column", "as" } or { "value" }`)
  }
  return new Map(Object.entries(result.data).map(([field, source]) => [field, toSource(file, field, source)]))
}

function toSource(file: string, field: string, source: z.output<typeof mapSchema>[string]): FieldSource {
  if (typeof source === 'string') return { column: source }
  if ('value' in source) return { value: source.value }
  const { column, as } = source as { column: string; as?: string }
  if (as !== undefined && !isConversion(as)) {
    throw unusable(file, `${field} names an unknown conversion ${as}${didYouMean(as, Object.keys(CONVERSIONS))}`)
  }
  return { column, as }
}

/**
 * Prepares the mapping of rows to a topic's values. Without a map, columns are field names.
 * @throws LABAN_PUBLISH_INPUT when the map names no field or column, or a field without default has no source
 */
export function createRowMapper(
  contract: TopicContract,
  input: { readonly file: string; readonly map: RowMap | undefined; readonly columns: readonly string[] | undefined },
): RowMapper {
  const fields = fieldsOf(contract)
  const map = input.map ?? new Map(fields.map(({ name }) => [name, { column: name }]))
  checkMap(contract, fields, map, input)
  const plans = fields.flatMap((field) => planField(field, map.get(field.name)) ?? [])
  const used = new Set([...map.values()].flatMap((source) => ('column' in source ? [source.column] : [])))
  return {
    map: (row) => mapRow(row, plans),
    columnOf: (path) => {
      const source = map.get(path.split(/[.[]/)[0] ?? '')
      return source !== undefined && 'column' in source ? source.column : path
    },
    unused: (input.columns ?? []).filter((column) => !used.has(column)),
  }
}

function checkMap(
  contract: TopicContract,
  fields: readonly Field[],
  map: RowMap,
  { file, columns, map: given }: Parameters<typeof createRowMapper>[1],
): void {
  const names = fields.map(({ name }) => name)
  const stranger = [...map.keys()].find((field) => !names.includes(field))
  if (stranger !== undefined) {
    throw unusable(
      file,
      `the map names ${stranger}, which is no field of ${contract.name}${didYouMean(stranger, names)}`,
    )
  }
  for (const { name, hasDefault } of fields) {
    const source = map.get(name)
    if (source === undefined && !hasDefault) throw unfilled(file, contract, name, '')
    if (source === undefined || 'value' in source || columns === undefined || columns.includes(source.column)) continue
    if (given === undefined && hasDefault) continue
    throw unfilled(file, contract, name, `: it has no column ${source.column}${didYouMean(source.column, columns)}`)
  }
}

function unfilled(file: string, contract: TopicContract, field: string, detail: string): LabanError {
  return unusable(file, `nothing fills ${field} of ${contract.name}${detail}; map it with --map`)
}

type Plan = (row: InputRow, value: Record<string, unknown>) => BadCell | undefined

function planField(field: Field, source: FieldSource | undefined): Plan | undefined {
  if (source === undefined) return undefined
  if ('value' in source) {
    return (_row, value) => {
      value[field.name] = source.value
      return undefined
    }
  }
  const { column, as } = source
  const convert = as === undefined ? cellConverter(field.type) : converterWith(as, cellConverter(field.type))
  return (row, value) => {
    const cell = row.cells[column]
    // A missing or empty cell means the default, where the contract has one; text may be empty on purpose.
    if (field.hasDefault && (cell === undefined || (cell === '' && field.type !== 'string'))) return undefined
    const result = cell === undefined ? { expected: 'a value' } : convert(cell)
    if ('expected' in result) return { column, field: field.name, expected: result.expected, cell }
    value[field.name] = result.value
    return undefined
  }
}

function converterWith(as: ConversionName, convert: CellConverter): CellConverter {
  return (cell) => {
    const first = CONVERSIONS[as].convert(typeof cell === 'string' ? cell.trim() : String(cell))
    return 'expected' in first ? first : convert(first.value)
  }
}

function mapRow(row: InputRow, plans: readonly Plan[]): MappedRow {
  const { problem } = row
  if (problem !== undefined) return { bad: { ...problem, field: '(all)', cell: undefined } }
  const value: Record<string, unknown> = {}
  for (const plan of plans) {
    const bad = plan(row, value)
    if (bad !== undefined) return { bad }
  }
  return { value }
}

function fieldsOf(contract: TopicContract): Field[] {
  const { fields = [] } = contract.schema as { readonly fields?: readonly { name: string; type: AvroSchema }[] }
  return fields.map((field) => ({ name: field.name, type: field.type, hasDefault: 'default' in field }))
}
