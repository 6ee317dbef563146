/** Facts, events and bodies are kept in one table per day (UTC, by the record's timestamp), so that forgetting a day is dropping its table. */
import type { SqlDatabase } from '../../runtime/internal.ts'
import type { LedgerTables } from './tables.ts'

export const DAY_MS = 86_400_000

/** What has tables by day. */
export type DayKind = 'facts' | 'events' | 'bodies'

/** Number of the day that holds a time: days since 1970. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS)
}

/** See the file's head. The kinds of one `Days` come and go together. Knows which days have tables, so that asking costs nothing on the hot path. */
export class Days {
  readonly #database: SqlDatabase
  readonly #tables: LedgerTables
  readonly #kinds: readonly [DayKind, ...DayKind[]]
  readonly #known = new Set<number>()

  constructor(
    database: SqlDatabase,
    tables: LedgerTables,
    kinds: readonly [DayKind, ...DayKind[]] = ['facts', 'events'],
  ) {
    this.#database = database
    this.#tables = tables
    this.#kinds = kinds
  }

  /** Makes the tables of these days. Instances that need the same day at once wait for each other. */
  async ensure(days: Iterable<number>): Promise<void> {
    const missing = [...new Set(days)].filter((day) => !this.#known.has(day))
    if (missing.length === 0) return
    await this.#locked((run) =>
      run(missing.flatMap((day) => this.#kinds.map((kind) => this.#createTable(kind, day))).join(';')),
    )
    for (const day of missing) this.#known.add(day)
  }

  /**
   * Brings the block-range indexes of the days that were written up to date. What they do not cover yet is searched row by row, and
   * PostgreSQL covers new rows only when it happens to vacuum.
   */
  async summarize(): Promise<void> {
    if (this.#known.size === 0) return
    const names = [...this.#known].flatMap((day) => this.#kinds.map((kind) => `'${this.name(kind, day)}'`))
    await this.#database.query(
      `SELECT brin_summarize_new_values(i.indexrelid)::int4 AS ranges
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
       WHERE a.amname = 'brin' AND i.indrelid IN (SELECT to_regclass(name) FROM unnest(ARRAY[${names.join()}]) AS name)`,
    )
  }

  /** Drops the days that ended before this time; the answer is how many. */
  async dropBefore(atMs: number): Promise<number> {
    const last = dayOf(atMs)
    const days = (await this.list()).filter((day) => day < last)
    if (days.length === 0) return 0
    const drops = days.flatMap((day) => this.#kinds.map((kind) => `DROP TABLE IF EXISTS ${this.name(kind, day)}`))
    await this.#locked((run) => run(drops.join(';')))
    for (const day of days) this.#known.delete(day)
    return days.length
  }

  /** Days that have tables, the earliest first. */
  async list(): Promise<readonly number[]> {
    const [kind] = this.#kinds
    const rows = await this.#database.query<{ name: string }>(
      `SELECT child.relname AS name FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
       WHERE inhparent = $1::regclass`,
      [this.#tables[kind]],
    )
    return rows.map(({ name }) => Number(name.slice(`${kind}_`.length))).sort((a, b) => a - b)
  }

  /** A table that another instance has dropped meanwhile is made anew when it is needed again. */
  forget(): void {
    this.#known.clear()
  }

  async #locked(work: (run: (text: string) => Promise<void>) => Promise<void>): Promise<void> {
    await this.#database.transaction(async (session) => {
      await session.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`laban.ledger ${this.#tables.schemaName}`])
      await work((text) => session.script(text))
    })
  }

  #createTable(kind: DayKind, day: number): string {
    const [from, to] = [day, day + 1].map((number) => new Date(number * DAY_MS).toISOString())
    return `CREATE TABLE IF NOT EXISTS ${this.name(kind, day)} PARTITION OF ${this.#tables[kind]} FOR VALUES FROM ('${from}') TO ('${to}')`
  }

  /** Table of a day, `facts_20413`: days since 1970, as PostgreSQL has no other unambiguous short form. */
  name(kind: DayKind, day: number): string {
    return `${this.#tables[kind]}_${day}`
  }
}
