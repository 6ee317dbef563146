/**
 * The ledger on days when things break: PostgreSQL crashes while facts come in, its connections are cut, an instance is killed. Nothing
 * is lost and nothing is there twice: the rows are those of a ledger that was left alone.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPostgresDatabase } from '../../../runtime/adapters/postgres/database.ts'
import { createMemoryBroker } from '../../../runtime/adapters/memory/broker.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../../runtime/ports/sql.ts'
import { emptyTables } from '../../../services/ledger/index.ts'
import { contentsOf, ledgerScene, type LedgerScene } from '../../harness/ledger-scene.ts'
import { OwnPostgres } from '../../harness/own-postgres.ts'
import { waitFor } from '../../harness/wait.ts'

const FLOWS = 600
const ROUNDS = 12

let server: OwnPostgres
let database: SqlDatabase
let scene: LedgerScene

beforeAll(async () => {
  server = await OwnPostgres.start()
  database = createPostgresDatabase({ url: server.url, logger: silentLogger })
  scene = await ledgerScene(createMemoryBroker({ clock: systemClock }), database, 'bad_days')
  await scene.announce(scene.manifests)
}, 90_000)

afterAll(async () => {
  await scene.close()
  await server.close()
}, 60_000)

describe('the ledger', { timeout: 90_000 }, () => {
  it('goes on after PostgreSQL crashed and after its connections were cut, and misses and doubles nothing', async () => {
    const flows = scene.flows(FLOWS, 'bad days')
    const facts = flows.flat()
    const ledger = await scene.start({ maxBatchFacts: 100 })
    for (let round = 0; round < ROUNDS; round++) {
      const part = Math.ceil(facts.length / ROUNDS)
      await scene.append(facts.slice(round * part, (round + 1) * part))
      if (round === 3 || round === 7) {
        // In the middle of the work, not between two pieces of it.
        await waitFor(async () => (await stored()) > round * part - part / 2, {
          timeoutMs: 30_000,
          what: 'facts to be stored',
        })
        await server.kill()
        await waitFor(() => !ledger.health.isReady, { timeoutMs: 30_000, what: 'the ledger to notice' })
        expect(ledger.health.problems.join()).toContain('cannot be used')
        await server.resume()
      } else if (round % 2 === 1) {
        await cutConnections()
      }
    }
    await scene.untilCaughtUp()
    expect(ledger.health).toMatchObject({ isReady: true, problems: [] })
    await expectAllIsThere(flows.length, facts.length)
  })

  it('reads it all again with the same result after its tables were emptied, by two instances', async () => {
    const before = await contentsOf(database, scene.tables)
    await emptyTables(database, scene.tables)
    await scene.start({ maxBatchFacts: 200 })
    await scene.untilCaughtUp()
    expect(await contentsOf(database, scene.tables)).toEqual(before)
  })
})

async function stored(): Promise<number> {
  const [row] = await database.query<{ stored: number }>(
    `SELECT coalesce(sum(next_offset), 0)::float8 AS stored FROM ${scene.tables.positions} WHERE topic = 'laban.facts'`,
  )
  return row?.stored ?? 0
}

async function cutConnections(): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity WHERE application_name = 'laban.ledger' AND pid <> pg_backend_pid()`,
  )
}

async function expectAllIsThere(flows: number, facts: number): Promise<void> {
  const contents = await contentsOf(database, scene.tables)
  expect(contents.facts).toHaveLength(facts)
  expect(new Set(contents.facts.map((row) => `${String(row['partition'])}/${String(row['offset'])}`)).size).toBe(facts)
  expect(contents.flows).toHaveLength(flows)
  const { flows: found, total } = await scene.ledger.search({ limit: flows })
  expect(total).toBe(flows)
  expect({ flows: found, total }).toEqual(await scene.log.search({ limit: flows }))
  for (const { flowId } of found.slice(0, 20))
    expect(await scene.ledger.flow(flowId)).toEqual(await scene.log.flow(flowId))
}
