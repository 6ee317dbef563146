/** PostgreSQL reads one flow of many as it should, also right after they came in. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPostgresDatabase } from '../../../runtime/adapters/postgres/database.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { Days } from '../../../services/ledger/days.ts'
import { dropTables, ledgerTables, migrate } from '../../../services/ledger/index.ts'
import { analyzeGrown } from '../../../services/ledger/statistics.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'

const FACTS = 40_000
const DAY = 20_000
const SOME_FLOW = '00000000-0000-4000-8000-000000000007'

const database = createPostgresDatabase({ url: await stackAddress('postgresUrl'), logger: silentLogger })
const tables = ledgerTables(uniqueName('statistics').replace('-', '_'))

beforeAll(async () => {
  await migrate(database, tables)
  await new Days(database, tables).ensure([DAY])
}, 30_000)

afterAll(async () => {
  await dropTables(database, tables)
  await database.close()
})

/** Rows that PostgreSQL expects of one flow. */
async function expectedRows(): Promise<number> {
  const [plan] = await database.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT value FROM ${tables.facts} WHERE flow_id = ANY(ARRAY['${SOME_FLOW}'::uuid])`,
  )
  return plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? NaN
}

it('looks at tables that have grown, and at no others', async () => {
  await database.query(
    `INSERT INTO ${tables.facts} (at, "offset", flow_id, partition, value)
     SELECT to_timestamp(${DAY}::float8 * 86400), n, ('00000000-0000-4000-8000-' || lpad(to_hex(n / 8), 12, '0'))::uuid, 0, '\\x00'
     FROM generate_series(1, ${FACTS}) AS n`,
  )
  expect(await expectedRows()).toBeGreaterThan(100)
  await waitFor(async () => (await analyzeGrown(database, tables)).join() === `facts_${DAY}`, {
    what: 'the rows to be counted',
  })
  expect(await expectedRows()).toBeLessThan(20)
  await waitFor(async () => (await analyzeGrown(database, tables)).length === 0, { what: 'the look to be counted' })
})
