/** `topics.json`: the table that gives each topic its schema, owner, limits and rules. Strict: an unknown key is an error. */
import { z } from 'zod'
import { parseDurationMs } from './duration.ts'
import { LabanError } from './errors.ts'
import { didYouMean } from './nearest-name.ts'

const retention = z.union([z.literal(-1), z.int().positive(), z.string()]).transform((value, context) => {
  const ms = typeof value === 'number' ? value : parseDurationMs(value)
  if (ms !== undefined) return ms
  context.addIssue({
    code: 'custom',
    message: 'expected milliseconds, -1 for ever, or a duration such as "7d", "12h", "30m"',
  })
  return z.NEVER
})

const within = z.union([z.int().positive(), z.string()]).transform((value, context) => {
  const ms = typeof value === 'number' ? value : parseDurationMs(value)
  if (ms !== undefined && ms > 0) return ms
  context.addIssue({ code: 'custom', message: 'expected milliseconds or a duration such as "30s", "5m"' })
  return z.NEVER
})

/** A topic's records may go on being kept elsewhere; each environment says for itself whether. */
const archive = {
  /** How long the ledger keeps the records, by their own time as `retention` does; null or absent: not at all. */
  archive: retention.nullable().optional(),
}

const expectations = z.strictObject({
  /** Longest time from the record to the end of a subscriber's reaction. */
  within,
})

const limits = {
  owner: z.string().min(1).optional(),
  partitions: z.int().min(1).max(10_000).optional(),
  replication: z.int().min(1).max(32).optional(),
  minInsyncReplicas: z.int().min(1).max(32).optional(),
  retention: retention.optional(),
  maxRecordBytes: z.int().min(1_024).max(1_073_741_824).optional(),
  cleanup: z.enum(['delete', 'compact']).optional(),
}

const rule = z.strictObject({
  name: z.string().min(1),
  expression: z.string().min(1),
  on: z
    .array(z.enum(['read', 'write']))
    .min(1)
    .optional(),
})

const row = z.strictObject({
  ...limits,
  ...archive,
  /** Path below `avro/`; absent only on rows that adjust a topic of the platform. */
  schema: z.string().min(1).optional(),
  /** Field of the value that is the record key; null or absent: the flow id. */
  key: z.string().min(1).nullable().optional(),
  rules: z.array(rule).optional(),
  expects: expectations.optional(),
  /** True: its events come from outside, too, so no agent needs to produce it. */
  entry: z.boolean().optional(),
  /** True: flows end here, so no agent needs to consume it. */
  end: z.boolean().optional(),
  /** Agents that may produce it; `credit.*` for all of a domain. Absent: any. */
  producers: z.array(z.string().min(1)).min(1).optional(),
})
const overrides = z.strictObject(limits)
const adjustments = z.strictObject({ ...limits, ...archive })
const table = z.strictObject({
  $schema: z.string().optional(),
  defaults: overrides.optional(),
  topics: z.record(z.string(), row),
  environments: z
    .record(
      z.string(),
      z.strictObject({ defaults: overrides.optional(), topics: z.record(z.string(), adjustments).optional() }),
    )
    .optional(),
})

/** Limits of a topic as far as a table states them. */
export type TopicLimits = z.output<typeof overrides>
/** One row of the table, checked; durations are milliseconds. */
export type TopicRow = z.output<typeof row>

/** The table for one environment: rows with the environment's own limits applied, and the limits of unlisted values. */
export interface TopicTable {
  readonly rows: ReadonlyMap<string, TopicRow>
  readonly defaults: TopicLimits
}

/**
 * Checks the JSON of a topic table and applies an environment: its topic overrides win over the table's rows, its defaults
 * over the table's defaults; what a row states for itself stays. `platformTopics` may have rows without a schema.
 * @throws LABAN_CONTRACT_INVALID with the file and the path of the first problem
 */
export function parseTopicTable(
  json: unknown,
  options: { file: string; environment?: string | undefined; platformTopics: readonly string[] },
): TopicTable {
  const { file, environment, platformTopics } = options
  const parsed = table.safeParse(json)
  if (!parsed.success) throw invalid(file, describeIssue(parsed.error.issues[0]))
  const { defaults = {}, topics, environments = {} } = parsed.data
  const chosen = environment === undefined ? undefined : environments[environment]
  if (environment !== undefined && chosen === undefined) {
    const hint = didYouMean(environment, Object.keys(environments))
    throw invalid(file, `environments has no "${environment}"${hint}`)
  }
  const names = [...Object.keys(topics), ...platformTopics]
  for (const [name, { topics: adjusted = {} }] of Object.entries(environments)) {
    const stranger = Object.keys(adjusted).find((topic) => !names.includes(topic))
    if (stranger === undefined) continue
    throw invalid(file, `environments.${name}.topics names ${stranger}, which has no row${didYouMean(stranger, names)}`)
  }
  const rows = new Map(Object.entries(topics))
  for (const [topic, adjusted] of Object.entries(chosen?.topics ?? {}))
    rows.set(topic, { ...rows.get(topic), ...adjusted })
  return { rows, defaults: { ...defaults, ...chosen?.defaults } }
}

function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'it is not a topic table'
  const path = issue.path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys') return `${path === '' ? 'the table' : path}: ${issue.message}`
  const key = issue.keys[0] ?? ''
  return `unknown key ${[path, key].filter((part) => part !== '').join('.')}${didYouMean(key, knownKeys(issue.path))}`
}

/** Keys that are allowed at a path of the table. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(table.shape)
  if (path.includes('rules')) return Object.keys(rule.shape)
  if (path[0] === 'environments') {
    if (path.length === 2) return ['defaults', 'topics']
    return Object.keys(path[2] === 'topics' ? adjustments.shape : overrides.shape)
  }
  return path[0] === 'topics' ? Object.keys(row.shape) : Object.keys(overrides.shape)
}

function invalid(file: string, problem: string): LabanError {
  return new LabanError('LABAN_CONTRACT_INVALID', { file, problem })
}
