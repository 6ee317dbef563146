/** Forgets what is older than the ledger keeps: whole days of facts and events, and the lines of flows that ended before. */
import type { SqlDatabase } from '../../runtime/internal.ts'
import { DAY_MS, dayOf, type Days } from './days.ts'
import { timestamps } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

/** Lines deleted by one statement: a long one would hold up the vacuum. */
const MAX_LINES = 10_000

/** What was forgotten. */
export interface Forgotten {
  readonly days: number
  readonly flows: number
}

/** Forgets everything of days that ended before this time. */
export async function forgetBefore(
  atMs: number,
  { database, tables, days }: { readonly database: SqlDatabase; readonly tables: LedgerTables; readonly days: Days },
): Promise<Forgotten> {
  const dropped = await days.dropBefore(atMs)
  const cut = timestamps([dayOf(atMs) * DAY_MS])
  let flows = 0
  for (;;) {
    const rows = await database.query(
      `DELETE FROM ${tables.flows} WHERE flow_id IN (
         SELECT flow_id FROM ${tables.flows} WHERE last_fact_at < ($1::timestamptz[])[1] LIMIT ${MAX_LINES}
       ) RETURNING 1 AS one`,
      [cut],
    )
    flows += rows.length
    if (rows.length < MAX_LINES) return { days: dropped, flows }
  }
}
