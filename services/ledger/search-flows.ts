/** Finds flows by their lines. The same filter gives the same flows in the same order as reading the log does. */
import type { Uuid } from '../../contracts/index.ts'
import type { FlowFilter, FlowPage, FlowSummary, SqlDatabase, SqlRow, SqlValue } from '../../runtime/internal.ts'
import { SEPARATOR } from './flow-lines.ts'
import { texts, timestamps } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

const DEFAULT_LIMIT = 50

interface Line extends SqlRow {
  readonly flow_id: Uuid
  readonly status: FlowSummary['status']
  readonly first_topic: string
  readonly keys: readonly string[]
  readonly started: number | null
  readonly duration_ms: number | null
  readonly events: number
  readonly handlings: number
  readonly complete: boolean
  readonly agents: readonly string[]
  readonly error_codes: readonly string[]
  readonly attention: readonly string[]
}

/** The newest flows that fit, and how many fit in all. */
export async function searchFlows(
  database: SqlDatabase,
  { flows }: LedgerTables,
  filter: FlowFilter,
): Promise<FlowPage> {
  const { where, values } = conditionOf(filter)
  const [rows, counted] = await Promise.all([
    database.query<Line>(
      `SELECT flow_id, status, first_topic, keys, extract(epoch FROM started_at)::float8 * 1000 AS started, duration_ms,
              events, handlings, complete, agents, error_codes, attention
       FROM ${flows} ${where} ORDER BY started_at DESC NULLS LAST, flow_id LIMIT ${filter.limit ?? DEFAULT_LIMIT}`,
      values,
    ),
    database.query<{ total: number }>(`SELECT count(*)::float8 AS total FROM ${flows} ${where}`, values),
  ])
  return { flows: rows.map(summaryOf), total: counted[0]?.total ?? 0 }
}

/** The lines that fit, as SQL. */
function conditionOf(filter: FlowFilter): { readonly where: string; readonly values: readonly SqlValue[] } {
  const { key, status, agent, errorCode, sinceMs, untilMs } = filter
  const values: SqlValue[] = []
  const parts: string[] = []
  const value = (given: SqlValue): string => `$${values.push(given)}`
  const one = (text: string): string => `${value(texts([text.replaceAll(SEPARATOR, '\uFFFD')]))}::text[]`
  if (key !== undefined) {
    const hasKey = `(keys <> '{}' AND keys @> ${one(key)})`
    const range = rangeOfPrefix(key)
    parts.push(
      range === undefined ? hasKey : `(${hasKey} OR flow_id BETWEEN ${value(range.from)} AND ${value(range.to)})`,
    )
  }
  if (status !== undefined) parts.push(`status = ${value(status)}`)
  // `complete` is implied where a status is none that a complete flow has; saying so lets the index of open flows be used.
  if (status !== undefined && status !== 'completed' && status !== 'failed') parts.push('NOT complete')
  if (agent !== undefined) parts.push(`agents @> ${one(agent)}`)
  if (errorCode !== undefined) parts.push(`error_codes <> '{}' AND error_codes @> ${one(errorCode)}`)
  if (sinceMs !== undefined) parts.push(`started_at >= (${value(timestamps([sinceMs]))}::timestamptz[])[1]`)
  if (untilMs !== undefined) {
    parts.push(`(started_at IS NULL OR started_at < (${value(timestamps([untilMs]))}::timestamptz[])[1])`)
  }
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values }
}

const HEX_DIGITS = 32

/** All ids that begin with this text; undefined when none can. */
function rangeOfPrefix(prefix: string): { readonly from: Uuid; readonly to: Uuid } | undefined {
  const shape = '00000000-0000-0000-0000-000000000000'
  if (prefix.length > shape.length) return undefined
  for (const [index, character] of [...prefix].entries()) {
    const isDash = shape[index] === '-'
    if (isDash ? character !== '-' : !/^[0-9a-f]$/.test(character)) return undefined
  }
  const digits = prefix.replaceAll('-', '')
  return { from: digits.padEnd(HEX_DIGITS, '0'), to: digits.padEnd(HEX_DIGITS, 'f') }
}

function summaryOf(line: Line): FlowSummary {
  return {
    flowId: line.flow_id,
    status: line.status,
    firstTopic: line.first_topic,
    keys: line.keys,
    startedAtMs: line.started === null ? null : Math.round(line.started),
    durationMs: line.duration_ms,
    events: line.events,
    handlings: line.handlings,
    complete: line.complete,
    agents: line.agents,
    errorCodes: line.error_codes,
    attention: line.attention,
  }
}
