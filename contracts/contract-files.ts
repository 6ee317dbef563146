/** Reads a contracts folder: schema files, the types they share, and released versions. Every error names the file. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { canonicalSchema, type CanonicalSchema, type NamedTypes } from './canonical-schema.ts'
import type { AvroSchema } from './contract.ts'
import { describeUnknown, LabanError } from './errors.ts'

/** A released version of a topic's schema, kept in `history/<topic>/v<n>.avsc`. */
export interface HistoricSchema extends CanonicalSchema {
  /** 1-based, in order of release. */
  readonly version: number
}

/** One .avsc file. */
export interface SchemaFile {
  readonly file: string
  readonly json: unknown
}

/** Schema files by their path below `dir`, with forward slashes. */
export function readSchemas(dir: string): ReadonlyMap<string, SchemaFile> {
  if (!existsSync(dir)) return new Map()
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.avsc'))
  return new Map(
    paths.toSorted().map((path) => {
      const file = join(dir, path)
      return [relative(dir, file).replaceAll('\\', '/'), { file, json: readJson(file) }]
    }),
  )
}

/** Types that files define at their top level, by full name. */
export function namedTypes(files: ReadonlyMap<string, SchemaFile>): NamedTypes {
  const types = new Map<string, SchemaFile>()
  for (const schemaFile of files.values()) {
    const json = schemaFile.json as { name?: unknown; namespace?: unknown } | null
    if (typeof json !== 'object' || json === null || typeof json.name !== 'string') continue
    const { name, namespace } = json
    const fullName = name.includes('.') || typeof namespace !== 'string' ? name : `${namespace}.${name}`
    const other = types.get(fullName)
    if (other !== undefined) throw invalid(schemaFile.file, `${fullName} is also defined in ${other.file}`)
    types.set(fullName, schemaFile)
  }
  return (fullName) => types.get(fullName)?.json as AvroSchema | undefined
}

/** Released schemas by topic, oldest first, from folders `<dir>/<topic>/v<n>.avsc`. */
export function readHistory(dirs: readonly string[]): ReadonlyMap<string, readonly HistoricSchema[]> {
  const history = new Map<string, HistoricSchema[]>()
  for (const dir of dirs) {
    for (const [path, { file, json }] of readSchemas(dir)) {
      const match = /^([^/]+)\/v([1-9]\d*)\.avsc$/.exec(path)
      const [, topic, version] = match ?? []
      if (topic === undefined) throw invalid(file, 'a released schema is called history/<topic>/v<n>.avsc')
      const versions = history.get(topic) ?? []
      versions.push({ version: Number(version), ...canonicalOf(json, () => undefined, file) })
      history.set(topic, versions)
    }
  }
  for (const versions of history.values()) versions.sort((left, right) => left.version - right.version)
  return history
}

/** Canonical form of a schema file. @throws LABAN_CONTRACT_INVALID */
export function canonicalOf(json: unknown, findNamed: NamedTypes, file: string): CanonicalSchema {
  const result = canonicalSchema(json, findNamed)
  if ('schemaText' in result) return result
  throw invalid(file, result.path === '' ? result.problem : `${result.path}: ${result.problem}`)
}

/** @throws LABAN_CONTRACT_INVALID */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new LabanError('LABAN_CONTRACT_INVALID', { file, problem: describeUnknown(error) }, { cause: error })
  }
}

function invalid(file: string, problem: string): LabanError {
  return new LabanError('LABAN_CONTRACT_INVALID', { file, problem })
}
