/**
 * Derives the line of a flow from all of its facts by the same fold that draws its graph, and writes it unless somebody else has
 * written it meanwhile: then nothing is written, and the flow is derived again from what is stored by now.
 */
import type { Uuid } from '../../contracts/index.ts'
import {
  summarize,
  type Clock,
  type FlowSummary,
  type SqlDatabase,
  type SqlRow,
  type SqlSession,
} from '../../runtime/internal.ts'
import { reconstructFlow, type Subscriptions } from '../../tracing/index.ts'
import type { FactReader } from './fact-reader.ts'
import type { FactRows } from './fact-rows.ts'
import type { FlowBook, FlowEntry } from './flow-book.ts'
import { endOf, type FlowDurations } from './flow-durations.ts'
import { bools, float8s, int4s, texts, timestamps, uuids } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

/** Between the texts of one array; no name contains it, and a record key that does is not found by it. */
export const SEPARATOR = '\u001F'

export interface FlowLinesOptions {
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  readonly rows: FactRows
  readonly reader: FactReader
  readonly book: FlowBook
  readonly durations: FlowDurations
  readonly clock: Pick<Clock, 'nowMs'>
}

/** A flow, its line, and what the line is to replace. */
interface Derived {
  readonly entry: FlowEntry
  readonly summary: FlowSummary
}

interface StoredLine extends SqlRow {
  readonly flow_id: Uuid
  readonly revision: number
  readonly complete: boolean
  readonly status: FlowSummary['status']
  readonly first: number
  readonly last: number
}

/** See the file's head. */
export class FlowLines {
  readonly #options: FlowLinesOptions

  constructor(options: FlowLinesOptions) {
    this.#options = options
  }

  /**
   * Derives and writes the lines of these flows. `derivedUpTo` gives, once they are taken, up to where each partition's lines are up to date.
   * @throws LABAN_LEDGER_UNAVAILABLE; the flows are then due again
   */
  async derive(
    entries: readonly FlowEntry[],
    subscriptions: Subscriptions,
    { nowMs, derivedUpTo }: { readonly nowMs: number; readonly derivedUpTo: () => ReadonlyMap<number, number> },
  ): Promise<void> {
    const { book } = this.#options
    const begun = book.begin(entries)
    try {
      await this.#load(entries)
      // A flow of which nothing is stored has no line: the tables were emptied since it was met.
      const derived = entries
        .filter(({ facts }) => facts.size > 0)
        .map((entry) => ({ entry, summary: summaryOf(entry, subscriptions) }))
      const upTo = derivedUpTo()
      const overtaken = await this.#write(derived, subscriptions.fingerprint, upTo)
      if (overtaken.size > 0) {
        for (const entry of entries) if (overtaken.has(entry.flowId)) book.distrust(entry)
        return book.putBack(begun, nowMs)
      }
      for (const { entry, summary } of derived) {
        entry.revision = (entry.revision ?? 0) + 1
        this.#countEnd(entry, summary)
        if (summary.complete) book.drop(entry)
      }
    } catch (error) {
      // Whether the transaction was committed is not known: the revisions may be another by now.
      for (const entry of entries) book.distrust(entry)
      book.putBack(begun, nowMs)
      throw error
    }
  }

  /** A flow that goes on after its end, because it was redriven, ends once more if it then ends as something else. */
  #countEnd(entry: FlowEntry, summary: FlowSummary): void {
    const { durations, clock } = this.#options
    const end = endOf(summary)
    if (end !== null && end !== entry.endedAs) durations.add(summary, clock.nowMs() - entry.lastAtMs)
    entry.endedAs = end
  }

  /** A flow without a line is new: all its facts came by here. Of others the older facts are read back, once. */
  async #load(entries: readonly FlowEntry[]): Promise<void> {
    const { database, tables, reader, book } = this.#options
    const unloaded = entries.filter(({ isLoaded }) => !isLoaded)
    if (unloaded.length === 0) return
    const lines = await database.query<StoredLine>(
      `SELECT flow_id, revision, complete, status, extract(epoch FROM first_fact_at)::float8 * 1000 AS first,
              extract(epoch FROM last_fact_at)::float8 * 1000 AS last
       FROM ${tables.flows} WHERE flow_id = ANY($1::uuid[])`,
      [uuids(unloaded.map(({ flowId }) => flowId))],
    )
    const byId = new Map(lines.map((line) => [line.flow_id, line]))
    const wanted = unloaded.filter((entry) => entry.mayHaveMore || byId.has(entry.flowId))
    const entryOf = new Map(wanted.map((entry) => [entry.flowId, entry]))
    const bounds = wanted.map((entry) => (entry.mayHaveMore ? undefined : byId.get(entry.flowId)))
    const isBounded = bounds.every((line) => line !== undefined)
    const between = isBounded
      ? {
          sinceMs: Math.round(Math.min(...bounds.map((line) => line?.first ?? 0))),
          untilMs: Math.round(Math.max(...bounds.map((line) => line?.last ?? 0))),
        }
      : undefined
    if (wanted.length > 0) {
      for (const row of await reader.factsOf([...entryOf.keys()], between)) {
        const entry = entryOf.get(row.flowId)
        if (entry !== undefined) book.hold(entry, row)
      }
    }
    for (const entry of unloaded) {
      entry.isLoaded = true
      entry.mayHaveMore = false
      const line = byId.get(entry.flowId)
      entry.revision = line?.revision ?? null
      entry.endedAs = line === undefined ? null : endOf(line)
    }
  }

  /** The answer is the flows whose line another instance has written; then nothing was written. */
  async #write(
    derived: readonly Derived[],
    fingerprint: number,
    upTo: ReadonlyMap<number, number>,
  ): Promise<ReadonlySet<Uuid>> {
    const { database, rows } = this.#options
    const fresh = derived.filter(({ entry }) => entry.revision === null)
    const known = derived.filter(({ entry }) => entry.revision !== null)
    const overtaken = new Set(derived.map(({ entry }) => entry.flowId))
    await database
      .transaction(async (session) => {
        for (const id of await this.#insert(session, fresh, fingerprint)) overtaken.delete(id)
        for (const id of await this.#update(session, known, fingerprint)) overtaken.delete(id)
        if (overtaken.size > 0) throw new Overtaken()
        await rows.derived(session, upTo)
      })
      .catch((error: unknown) => {
        if (!(error instanceof Overtaken)) throw error
      })
    return overtaken
  }

  async #insert(session: SqlSession, derived: readonly Derived[], fingerprint: number): Promise<readonly Uuid[]> {
    if (derived.length === 0) return []
    const inserted = await session.query<{ flow_id: Uuid }>(
      `INSERT INTO ${this.#options.tables.flows} (flow_id, revision, subscriptions, ${COLUMNS.join()})
       SELECT flow_id, revision, ${fingerprint}, ${COLUMNS.map(fromLine).join()} FROM ${LINES}
       ON CONFLICT DO NOTHING RETURNING flow_id`,
      valuesOf(derived),
    )
    return inserted.map((row) => row.flow_id)
  }

  async #update(session: SqlSession, derived: readonly Derived[], fingerprint: number): Promise<readonly Uuid[]> {
    if (derived.length === 0) return []
    const set = COLUMNS.map((column) => `${column} = ${fromLine(column)}`).join()
    const updated = await session.query<{ flow_id: Uuid }>(
      `UPDATE ${this.#options.tables.flows} AS f SET revision = line.revision, subscriptions = ${fingerprint}, ${set}
       FROM ${LINES} WHERE f.flow_id = line.flow_id AND f.revision = line.revision - 1 RETURNING f.flow_id`,
      valuesOf(derived),
    )
    return updated.map((row) => row.flow_id)
  }
}

function summaryOf({ flowId, facts }: FlowEntry, manifests: Subscriptions): FlowSummary {
  const readable = [...facts.values()].filter((fact) => fact !== null)
  return summarize(
    reconstructFlow({ flowId, facts: readable, manifests, unreadableFacts: facts.size - readable.length }),
  )
}

const ARRAYS: ReadonlySet<string> = new Set(['keys', 'agents', 'error_codes', 'attention'])
const COLUMNS = [
  ...['started_at', 'first_fact_at', 'last_fact_at', 'duration_ms', 'partition', 'facts', 'events', 'handlings'],
  ...['complete', 'status', 'first_topic', ...ARRAYS],
]
const TYPES = [
  ...['uuid', 'int4', 'timestamptz', 'timestamptz', 'timestamptz', 'float8', 'int4', 'int4', 'int4', 'int4', 'bool'],
  ...['text', 'text', 'text', 'text', 'text', 'text'],
]
const LINES = `unnest(${TYPES.map((type, index) => `$${index + 1}::${type}[]`).join()}) AS line (flow_id, revision, ${COLUMNS.join()})`

/** Arrays of different lengths cannot be in one array, so they come as one text each. */
function fromLine(column: string): string {
  return ARRAYS.has(column) ? `string_to_array(line.${column}, E'\\x1F')` : `line.${column}`
}

function valuesOf(derived: readonly Derived[]): readonly Buffer[] {
  const entries = derived.map(({ entry }) => entry)
  const lines = derived.map(({ summary }) => summary)
  const joined = (items: readonly string[]): string =>
    items.map((item) => item.replaceAll(SEPARATOR, '\uFFFD')).join(SEPARATOR)
  return [
    uuids(entries.map(({ flowId }) => flowId)),
    int4s(entries.map(({ revision }) => (revision ?? 0) + 1)),
    timestamps(lines.map(({ startedAtMs }) => startedAtMs)),
    timestamps(entries.map(({ firstAtMs }) => firstAtMs)),
    timestamps(entries.map(({ lastAtMs }) => lastAtMs)),
    float8s(lines.map(({ durationMs }) => durationMs)),
    int4s(entries.map(({ partition }) => partition)),
    int4s(entries.map(({ facts }) => facts.size)),
    int4s(lines.map(({ events }) => events)),
    int4s(lines.map(({ handlings }) => handlings)),
    bools(lines.map(({ complete }) => complete)),
    texts(lines.map(({ status }) => status)),
    texts(lines.map(({ firstTopic }) => firstTopic)),
    texts(lines.map(({ keys }) => joined(keys))),
    texts(lines.map(({ agents }) => joined(agents))),
    texts(lines.map(({ errorCodes }) => joined(errorCodes))),
    texts(lines.map(({ attention }) => joined(attention))),
  ]
}

/** Rolls the transaction back. */
class Overtaken extends Error {}
