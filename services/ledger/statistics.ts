/**
 * What PostgreSQL knows of the tables. A table that it has not looked at it takes for few and huge flows, and reads one of them with
 * parallel workers: 40 ms where 0.1 would do. By itself it looks a minute after a load, or much later.
 */
import type { SqlDatabase } from '../../runtime/internal.ts'
import type { LedgerTables } from './tables.ts'

/** Smaller tables are read quickly in any way. */
const MIN_ANALYZED_ROWS = 10_000

/** Has PostgreSQL look at each table that has grown by half. The answer is their names. @throws LABAN_LEDGER_UNAVAILABLE */
export async function analyzeGrown(database: SqlDatabase, tables: LedgerTables): Promise<readonly string[]> {
  const grown = await database.query<{ name: string }>(
    `SELECT relname AS name FROM pg_stat_user_tables
     WHERE schemaname = $1 AND n_mod_since_analyze >= ${MIN_ANALYZED_ROWS} AND 3 * n_mod_since_analyze >= n_live_tup`,
    [tables.schemaName],
  )
  const names = grown.map(({ name }) => name).sort()
  for (const name of names) await database.query(`ANALYZE (SKIP_LOCKED) ${tables.schema}."${name}"`)
  return names
}
