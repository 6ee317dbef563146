/** All contracts one process knows: loaded once, checked completely, immutable. The platform's own topics are always among them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { avroType } from './avro-type.ts'
import type { CanonicalSchema } from './canonical-schema.ts'
import { canonicalOf, namedTypes, readHistory, readJson, readSchemas, type HistoricSchema } from './contract-files.ts'
import { AGENTS_TOPIC, FACTS_TOPIC, type AvroSchema, type RuleContract, type TopicContract } from './contract.ts'
import { describeUnknown, LabanError } from './errors.ts'
import { didYouMean } from './nearest-name.ts'
import { compileRule } from './rules.ts'
import { parseTopicTable, type TopicLimits, type TopicRow } from './topic-table.ts'

/** The contracts of all topics, the platform's own included. */
export class ContractSet {
  readonly topics: ReadonlyMap<string, TopicContract>
  private readonly released: ReadonlyMap<string, readonly HistoricSchema[]>

  constructor(topics: Iterable<TopicContract>, history: ReadonlyMap<string, readonly HistoricSchema[]> = new Map()) {
    this.topics = new Map([...topics].map((topic) => [topic.name, topic]))
    this.released = history
  }

  /** @throws LABAN_CONTRACT_UNKNOWN_TOPIC with the nearest name */
  get(topic: string): TopicContract {
    const contract = this.topics.get(topic)
    if (contract !== undefined) return contract
    throw new LabanError('LABAN_CONTRACT_UNKNOWN_TOPIC', { topic, hint: didYouMean(topic, this.topics.keys()) })
  }

  has(topic: string): boolean {
    return this.topics.has(topic)
  }

  /** Released versions of a topic, oldest first; empty for a topic that was never released. */
  history(topic: string): readonly HistoricSchema[] {
    return this.released.get(topic) ?? []
  }
}

/** Options of {@link loadContracts}. */
export interface LoadContractsOptions {
  /** Folder with `topics.json`, `avro/` and, optionally, `history/`. */
  readonly dir: string
  /** Name of an entry under `environments` of the topic table. @default the table without overrides */
  readonly environment?: string
}

/**
 * Reads `<dir>/topics.json`, `<dir>/avro/**.avsc` and `<dir>/history/`, and adds the platform's own topics.
 * @throws LABAN_CONTRACT_INVALID with file and path
 */
export function loadContracts(options: LoadContractsOptions): ContractSet {
  const { dir, environment } = options
  const tableFile = join(dir, 'topics.json')
  const files = readSchemas(join(dir, 'avro'))
  const findNamed = namedTypes(files)
  const table = parseTopicTable(readJson(tableFile), { file: tableFile, environment, platformTopics: PLATFORM_NAMES })
  const contracts = new Map<string, TopicContract>()
  for (const [name, row] of table.rows) {
    if (PLATFORM_NAMES.includes(name)) continue
    const file = row.schema === undefined ? undefined : files.get(row.schema)
    if (file === undefined) throw missingSchema(tableFile, name, row.schema, files.keys())
    const schema = canonicalOf(file.json, findNamed, file.file)
    contracts.set(name, topicContract(name, row, table.defaults, { schema, file: file.file, table: tableFile }))
  }
  for (const contract of platformContracts(table.rows, table.defaults)) contracts.set(contract.name, contract)
  return new ContractSet(contracts.values(), readHistory([join(dir, 'history'), join(PLATFORM_DIR, 'history')]))
}

/** A topic given in code: a row of the table with its schema in place of a file. */
export interface TopicDefinition extends Omit<TopicRow, 'schema' | 'retention'> {
  readonly schema: AvroSchema
  /** @default 604800000 (7 days); -1 for ever */
  readonly retentionMs?: number
}

/**
 * Contracts given in code, with the same checks as files; for tests and generated contracts.
 * @throws LABAN_CONTRACT_INVALID
 */
export function createContractSet(definitions: Readonly<Record<string, TopicDefinition>>): ContractSet {
  const contracts = Object.entries(definitions).map(([name, definition]) => {
    const { schema, retentionMs, ...row } = definition
    const limits: TopicRow = retentionMs === undefined ? row : { ...row, retention: retentionMs }
    const file = `contract of ${name}`
    return topicContract(name, limits, {}, { schema: canonicalOf(schema, () => undefined, file), file, table: file })
  })
  return new ContractSet([...contracts, ...platformContracts(new Map(), {})])
}

const DAY_MS = 86_400_000
const DEFAULT_LIMITS = {
  owner: 'unknown',
  partitions: 6,
  replication: 1,
  minInsyncReplicas: 1,
  retention: 7 * DAY_MS,
  maxRecordBytes: 1_048_576,
  cleanup: 'delete',
} as const satisfies TopicLimits

/** Topics that every installation has; a table may adjust their limits with a row that names no schema. */
const PLATFORM_TOPICS: Readonly<Record<string, TopicRow & { readonly schema: string }>> = {
  [FACTS_TOPIC]: { schema: 'fact.avsc', owner: 'laban', partitions: 6, retention: 30 * DAY_MS, cleanup: 'delete' },
  [AGENTS_TOPIC]: { schema: 'manifest.avsc', owner: 'laban', partitions: 1, retention: -1, cleanup: 'compact' },
}
const PLATFORM_NAMES = Object.keys(PLATFORM_TOPICS)
/** Beside this source, or for the compiled package in its source folder. */
const PLATFORM_DIR = ['./platform/', '../../contracts/platform/']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path)) as string

function platformContracts(rows: ReadonlyMap<string, TopicRow>, defaults: TopicLimits): TopicContract[] {
  const { replication, minInsyncReplicas, maxRecordBytes } = defaults
  const shared = withoutUndefined({ replication, minInsyncReplicas, maxRecordBytes })
  return Object.entries(PLATFORM_TOPICS).map(([name, platform]) => {
    const file = join(PLATFORM_DIR, platform.schema)
    const row = { ...platform, ...withoutUndefined({ ...rows.get(name) }) }
    const schema = canonicalOf(readJson(file), () => undefined, file)
    return topicContract(name, row, shared, { schema, file, table: file })
  })
}

/** The schema of a topic and the files that errors name. */
interface TopicSource {
  readonly schema: CanonicalSchema
  readonly file: string
  readonly table: string
}

const TOPIC_NAME = /^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$/

function topicContract(name: string, row: TopicRow, defaults: TopicLimits, source: TopicSource): TopicContract {
  const { schema, ...where } = source
  const limits = { ...DEFAULT_LIMITS, ...withoutUndefined({ ...defaults }), ...withoutUndefined({ ...row }) }
  const at = (problem: string): LabanError => invalid(where.table, `topics.${name}: ${problem}`)
  if (!TOPIC_NAME.test(name)) throw at('a topic is called "<domain>.<event>" in kebab case')
  if (limits.minInsyncReplicas > limits.replication) throw at('minInsyncReplicas is larger than replication')
  const archiveMs = row.archive ?? undefined
  const unarchivable = archiveMs === undefined ? undefined : whyNotArchived(name, archiveMs, limits)
  if (unarchivable !== undefined) throw at(`archive ${unarchivable}`)
  checkSchema(schema.schema, where.file)
  const keyField = row.key ?? null
  if (keyField !== null && !KEY_TYPES.includes(String(fieldType(schema.schema, keyField)))) {
    throw at(`key names "${keyField}", which is not a string, int or long field of the schema`)
  }
  const rules = (row.rules ?? []).map((rule): RuleContract => ({ ...rule, on: rule.on ?? ['read', 'write'] }))
  for (const [index, rule] of rules.entries())
    checkRule(rule, schema.schema, where.table, `topics.${name}.rules.${index}`)
  return Object.freeze({
    name,
    file: where.file,
    owner: limits.owner,
    keyField,
    partitions: limits.partitions,
    replication: limits.replication,
    minInsyncReplicas: limits.minInsyncReplicas,
    retentionMs: limits.retention,
    ...(archiveMs === undefined ? {} : { archiveMs }),
    maxRecordBytes: limits.maxRecordBytes,
    cleanup: limits.cleanup,
    rules,
    ...(row.expects === undefined ? {} : { expects: { withinMs: row.expects.within } }),
    ...(row.entry === undefined ? {} : { isEntry: row.entry }),
    ...(row.end === undefined ? {} : { isEnd: row.end }),
    ...(row.producers === undefined ? {} : { producers: row.producers }),
    ...schema,
  })
}

/** An archive is for what the topic has forgotten; undefined when there is such a thing. */
function whyNotArchived(
  name: string,
  archiveMs: number,
  { retention, cleanup }: { readonly retention: number; readonly cleanup: TopicContract['cleanup'] },
): string | undefined {
  if (PLATFORM_NAMES.includes(name)) return 'is for events; how long facts are kept is ledger.retentionDays'
  if (cleanup === 'compact') return undefined
  if (retention === -1) return 'has nothing to keep: the topic forgets nothing'
  if (archiveMs === -1 || archiveMs > retention) return undefined
  return 'must be longer than retention: until then the topic has its records itself'
}

const KEY_TYPES = ['string', 'int', 'long']

function fieldType(schema: AvroSchema, field: string): unknown {
  if (typeof schema === 'string' || !('fields' in schema)) return undefined
  const type: unknown = (schema['fields'] as { name: string; type: unknown }[]).find(({ name }) => name === field)?.type
  return typeof type === 'object' && type !== null && 'type' in type ? type.type : type
}

function checkSchema(schema: AvroSchema, file: string): void {
  if (typeof schema === 'string' || !('type' in schema) || schema['type'] !== 'record') {
    throw invalid(file, 'the value of a topic must be a record')
  }
  try {
    avroType(schema)
  } catch (error) {
    throw new LabanError('LABAN_CONTRACT_INVALID', { file, problem: describeUnknown(error) }, { cause: error })
  }
}

function checkRule(rule: RuleContract, schema: AvroSchema, file: string, path: string): void {
  try {
    compileRule(rule.expression, { schema })
  } catch (error) {
    const problem = `${path}.expression: ${describeUnknown(error)}`
    throw new LabanError('LABAN_CONTRACT_INVALID', { file, problem }, { cause: error })
  }
}

function missingSchema(table: string, topic: string, schema: string | undefined, files: Iterable<string>): LabanError {
  if (schema === undefined) return invalid(table, `topics.${topic}.schema is missing`)
  return invalid(table, `topics.${topic}.schema: avro/${schema} does not exist${didYouMean(schema, files)}`)
}

function invalid(file: string, problem: string): LabanError {
  return new LabanError('LABAN_CONTRACT_INVALID', { file, problem })
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

function withoutUndefined<T extends object>(value: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<Defined<T>>
}
