/**
 * Two instances archive the same partitions, each believing that they are its own; transactions are lost before and after their commit,
 * instances die, the topic forgets its beginning. In the end each record that was on the log long enough is there, exactly once.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FACTS_TOPIC } from '../../../contracts/contract.ts'
import { createMemoryBroker } from '../../../runtime/adapters/memory/broker.ts'
import { openPgliteDatabase } from '../../../runtime/adapters/pglite/database.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../../runtime/ports/sql.ts'
import { ArchiveRows } from '../../../services/ledger/archive-rows.ts'
import { Archiver } from '../../../services/ledger/archiver.ts'
import { dropTables, ledgerTables, migrate, type LedgerTables } from '../../../services/ledger/index.ts'
import { lossy, tolerant } from '../../harness/lossy-database.ts'

const TOPIC = 'person.moved'
const PARTITIONS = 2
const topics = [{ topic: TOPIC, keepMs: -1 }]

type Step =
  | { readonly do: 'append'; readonly partition: number; readonly count: number }
  | { readonly do: 'round' | 'crash'; readonly at: number }
  /** Both at once. */
  | { readonly do: 'race' }
  /** The next transaction: lost before, or after, it was committed. */
  | { readonly do: 'lose'; readonly when: 'before' | 'after' }
  /** What is archived leaves the log. */
  | { readonly do: 'forget'; readonly partition: number }

const at = fc.nat({ max: 1 })
const partition = fc.nat({ max: PARTITIONS - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), partition, count: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('round' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('race' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), partition }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
)

let database: SqlDatabase
let runs = 0

beforeAll(async () => {
  database = await openPgliteDatabase()
}, 60_000)

afterAll(() => database.close())

async function placesIn({ bodies }: LedgerTables): Promise<readonly string[]> {
  const rows = await database.query<{ place: string }>(
    `SELECT partition || '@' || "offset" AS place FROM ${bodies} ORDER BY partition, "offset"`,
  )
  return rows.map(({ place }) => place)
}

async function tell(steps: readonly Step[]): Promise<void> {
  const tables = ledgerTables(`run_${++runs}`)
  await migrate(database, tables)
  const broker = createMemoryBroker({ clock: systemClock })
  await broker.admin.createTopics(
    [FACTS_TOPIC, TOPIC].map((topic) => ({ topic, partitions: PARTITIONS, replication: 1, config: {} })),
  )
  const producer = await broker.producer()
  const flaky = lossy(database)
  const archiver = (on: SqlDatabase): Archiver =>
    new Archiver({
      ...{ broker, topics, clock: systemClock, log: silentLogger, maxBatchRecords: 5 },
      rows: new ArchiveRows(on, tables),
    })
  const instances = [archiver(flaky), archiver(flaky)]
  const round = (instance: Archiver | undefined) => tolerant(async () => instance?.round([0, 1]))
  const appended: string[] = []
  for (const one of steps) {
    if (one.do === 'lose') flaky.lose = one.when
    if (one.do === 'crash') instances[one.at] = archiver(flaky)
    if (one.do === 'round') await round(instances[one.at])
    if (one.do === 'race') await Promise.all(instances.map(round))
    if (one.do === 'append') {
      const record = { topic: TOPIC, partition: one.partition, key: 'k', value: Buffer.from('v'), headers: {} }
      for (const { offset } of await producer.send(Array.from({ length: one.count }, () => record)))
        appended.push(`${one.partition}@${offset}`)
    }
    if (one.do === 'forget') {
      const archived = (await placesIn(tables)).filter((place) => place.startsWith(`${one.partition}@`)).length
      broker.trim(TOPIC, one.partition, archived)
    }
  }
  flaky.lose = undefined
  const last = archiver(database)
  while (await last.round([0, 1]));
  expect([...(await placesIn(tables))].sort()).toEqual(appended.sort())
  await dropTables(database, tables)
}

describe('the archive', { timeout: 60_000 }, () => {
  it('has every record once, whatever happens on the way', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), tell), { numRuns: 20 })
  })
})
