/** Two transactions move the positions of the same partitions at once: one reads on, the other says how far lines are up to date. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPostgresDatabase } from '../../../runtime/adapters/postgres/database.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { Days } from '../../../services/ledger/days.ts'
import { FactRows } from '../../../services/ledger/fact-rows.ts'
import { dropTables, ledgerTables, migrate } from '../../../services/ledger/index.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'

const PARTITIONS = 24
const ROUNDS = 400

const database = createPostgresDatabase({ url: await stackAddress('postgresUrl'), logger: silentLogger })
const tables = ledgerTables(uniqueName('positions').replace('-', '_'))
const rows = new FactRows(database, tables, new Days(database, tables))

beforeAll(() => migrate(database, tables), 30_000)

afterAll(async () => {
  await dropTables(database, tables)
  await database.close()
})

it('do not wait for each other for ever, in whatever order each of them names its partitions', async () => {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
  for (const partition of partitions) await rows.position(partition, 0)
  for (let round = 0; round < ROUNDS; round++) {
    const ordered = round % 2 === 0 ? partitions : partitions.toReversed()
    const moves = ordered.map((partition) => ({ partition, fromOffset: round, toOffset: round + 1 }))
    const derived = new Map(ordered.toReversed().map((partition) => [partition, round]))
    const [appended] = await Promise.all([
      rows.append([], moves),
      database.transaction((session) => rows.derived(session, derived)),
    ])
    expect(appended).toBe(true)
  }
  expect(new Set((await rows.positions()).values())).toEqual(new Set([ROUNDS]))
}, 60_000)
