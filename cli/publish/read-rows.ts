/** Reads rows from CSV or JSON lines as a stream: a file of any size costs no more memory than a few rows. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { parse as csvParser, type CsvError } from 'csv-parse'
import { describeUnknown, LabanError } from '../../contracts/index.ts'

/** Where rows come from. */
export interface RowSource {
  /** For people: the path, or `stdin`. */
  readonly name: string
  readonly format: 'csv' | 'jsonl'
  readonly stream: Readable
  /** Undefined when it cannot be known. */
  readonly totalBytes: number | undefined
  /** Bytes that have been taken from the source so far. */
  readBytes(): number
}

/** One row: its cells by column, or what is wrong with its form. */
export interface InputRow {
  /** Line in the file, as an editor counts; the header is line 1. */
  readonly line: number
  readonly cells: Readonly<Record<string, unknown>>
  readonly problem?: { readonly column: string; readonly expected: string }
}

/** Columns, known for CSV only, and the rows. */
export interface Rows {
  readonly columns: readonly string[] | undefined
  readonly rows: AsyncIterable<InputRow>
}

/** Opens a file by its ending, or `-` for stdin. @throws LABAN_PUBLISH_INPUT */
export async function openSource(file: string, format: 'csv' | 'jsonl' | undefined): Promise<RowSource> {
  if (file === '-')
    return counted({ name: 'stdin', format: format ?? 'jsonl', stream: process.stdin, totalBytes: undefined })
  const found = format ?? formatOf(file)
  const { size } = await stat(file).catch((error: unknown) => {
    throw unusable(file, 'the file cannot be read', error)
  })
  return counted({ name: file, format: found, stream: createReadStream(file), totalBytes: size })
}

/** Starts reading. @throws LABAN_PUBLISH_INPUT when there is no header, or a column has no name of its own */
export async function readRows(source: RowSource): Promise<Rows> {
  return source.format === 'csv' ? await readCsv(source) : { columns: undefined, rows: readJsonLines(source) }
}

function formatOf(file: string): 'csv' | 'jsonl' {
  if (/\.csv$/i.test(file)) return 'csv'
  if (/\.(jsonl|ndjson)$/i.test(file)) return 'jsonl'
  throw unusable(file, 'its name ends neither in .csv nor in .jsonl; say --format csv or --format jsonl')
}

function counted(source: Omit<RowSource, 'readBytes'>): RowSource {
  let bytes = 0
  source.stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
  source.stream.pause()
  return { ...source, readBytes: () => bytes }
}

async function readCsv(source: RowSource): Promise<Rows> {
  const parser = source.stream.pipe(csvParser({ bom: true, info: true, relaxColumnCount: true, skipEmptyLines: true }))
  source.stream.on('error', (error) => parser.destroy(error))
  const records = parsedRecords(source.name, parser as AsyncIterable<ParsedRecord>)
  const first = await records.next()
  if (first.done === true) throw unusable(source.name, 'it has no header line')
  const columns = first.value.record
  const repeated = columns.find((column, index) => columns.indexOf(column) !== index)
  if (repeated !== undefined) throw unusable(source.name, `its header names ${repeated} twice`)
  return { columns, rows: csvRows(columns, records) }
}

interface ParsedRecord {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

async function* parsedRecords(
  name: string,
  parser: AsyncIterable<ParsedRecord>,
): AsyncGenerator<ParsedRecord, undefined> {
  try {
    yield* parser
  } catch (error) {
    const line = (error as Partial<CsvError> & { lines?: number }).lines
    throw unusable(name, `${line === undefined ? '' : `line ${line}: `}${describeUnknown(error)}`, error)
  }
  return undefined
}

async function* csvRows(columns: readonly string[], records: AsyncIterable<ParsedRecord>): AsyncGenerator<InputRow> {
  for await (const { record, info } of records) {
    const cells = Object.fromEntries(columns.map((column, index) => [column, record[index] ?? '']))
    const line = info.lines
    if (record.length === columns.length) yield { line, cells }
    else {
      const column = columns[record.length] ?? `${columns.length + 1}`
      yield { line, cells, problem: { column, expected: `${columns.length} cells, the row has ${record.length}` } }
    }
  }
}

async function* readJsonLines(source: RowSource): AsyncGenerator<InputRow> {
  let line = 0
  try {
    for await (const text of createInterface({ input: source.stream, crlfDelay: Infinity })) {
      line++
      const trimmed = (line === 1 ? text.replace(/^\uFEFF/, '') : text).trim()
      if (trimmed !== '') yield { line, ...parseLine(trimmed) }
    }
  } catch (error) {
    throw unusable(source.name, describeUnknown(error), error)
  }
}

function parseLine(text: string): Omit<InputRow, 'line'> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { cells: value as InputRow['cells'] }
    return { cells: {}, problem: { column: '(line)', expected: 'a JSON object' } }
  } catch (error) {
    return { cells: {}, problem: { column: '(line)', expected: `a JSON object: ${describeUnknown(error)}` } }
  }
}

/** LABAN_PUBLISH_INPUT. */
export function unusable(file: string, problem: string, cause?: unknown): LabanError {
  return new LabanError('LABAN_PUBLISH_INPUT', { file, problem }, { cause })
}
