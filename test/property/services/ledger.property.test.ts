/**
 * I9: the ledger is an order-free fold of the facts. Two instances take batches of any size from partitions that move between them
 * without anybody being told, batches come again, instances die between and within transactions, answers of commits are lost, the tables
 * are emptied: in the end the rows are those of one instance that read the log undisturbed.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FACTS_TOPIC } from '../../../contracts/contract.ts'
import { createMemoryBroker } from '../../../runtime/adapters/memory/broker.ts'
import { openPgliteDatabase } from '../../../runtime/adapters/pglite/database.ts'
import type { BrokerRecord } from '../../../runtime/ports/broker.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../../runtime/ports/sql.ts'
import { dropTables, emptyTables, ledgerTables, migrate, type LedgerTables } from '../../../services/ledger/index.ts'
import { LedgerWork } from '../../../services/ledger/ledger-work.ts'
import { contentsOf, ledgerScene, type LedgerContents, type LedgerScene } from '../../harness/ledger-scene.ts'
import { lossy, tolerant } from '../../harness/lossy-database.ts'

const PARTITIONS = 3
const FLOWS = 24
const RUNS = 20

/** What happens next, and to which of the two. */
type Step =
  | { readonly do: 'assign'; readonly at: number; readonly partitions: readonly number[] }
  | {
      readonly do: 'deliver'
      readonly at: number
      readonly partition: number
      readonly back: number
      readonly count: number
    }
  | { readonly do: 'ingest' | 'derive' | 'manifests' | 'crash'; readonly at: number }
  /** The next transaction: lost before, or after, it was committed. */
  | { readonly do: 'lose'; readonly when: 'before' | 'after' }
  | { readonly do: 'empty' }

const at = fc.nat({ max: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('assign' as const), at, partitions: fc.subarray([0, 1, 2]) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      at,
      partition: fc.nat({ max: PARTITIONS - 1 }),
      back: fc.nat({ max: 10 }),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ingest' as const), at }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('derive' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('manifests' as const, 'crash' as const), at }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
)

/** Both begin with all partitions, each believing that they are its own; at most once the tables are emptied. */
const begin: readonly Step[] = [0, 1].flatMap((at): Step[] => [
  { do: 'assign', at, partitions: [0, 1, 2] },
  { do: 'ingest', at },
])
const story = fc
  .tuple(fc.array(step, { minLength: 20, maxLength: 80 }), fc.option(fc.nat({ max: 60 }), { freq: 3 }))
  .map(([steps, emptyAt]): readonly Step[] =>
    emptyAt === null ? [...begin, ...steps] : [...begin, ...steps.toSpliced(emptyAt, 0, { do: 'empty' })],
  )

let scene: LedgerScene
let database: SqlDatabase
let log: readonly (readonly BrokerRecord[])[]
let expected: LedgerContents
let runs = 0

beforeAll(async () => {
  database = await openPgliteDatabase()
  const broker = createMemoryBroker({ clock: systemClock })
  await broker.admin.createTopics([{ topic: FACTS_TOPIC, partitions: PARTITIONS, replication: 1, config: {} }])
  scene = await ledgerScene(broker, database, 'undisturbed')
  const flows = scene.flows(FLOWS, 'property')
  // A third of the flows stay open; facts of neighbours are interleaved, and some are said twice.
  const facts = flows.flatMap((flow, index) => (index % 3 === 0 ? flow.slice(0, 4) : flow))
  const mixed = facts
    .map((fact, index) => ({ fact, place: (index * 7) % facts.length }))
    .sort((a, b) => a.place - b.place)
  await scene.announce(scene.manifests.slice(0, 3))
  await scene.append([...mixed.map(({ fact }) => fact), ...facts.slice(0, 5)])
  log = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => readPartition(partition)))
  await migrate(database, scene.tables)
  await finish(work(database, scene.tables))
  expected = await contentsOf(database, scene.tables)
  expect(expected.facts).toHaveLength(facts.length + 5)
  expect(expected.flows).toHaveLength(FLOWS)
}, 60_000)

afterAll(() => scene.close())

async function readPartition(partition: number): Promise<readonly BrokerRecord[]> {
  const records: BrokerRecord[] = []
  for await (const batch of scene.broker.reader.read({ topic: FACTS_TOPIC, partition, fromOffset: 0 }))
    records.push(...batch)
  return records
}

function work(on: SqlDatabase, tables: LedgerTables): LedgerWork {
  const { broker, codec } = scene
  return new LedgerWork({
    broker,
    database: on,
    tables,
    codec,
    clock: systemClock,
    log: silentLogger,
    maxBatchFacts: 60,
    quietMs: 0,
    maxLines: 3,
  })
}

function assign(instance: LedgerWork, partitions: readonly number[]): void {
  instance.intake.assign(
    partitions.map((partition) => ({
      topic: FACTS_TOPIC,
      partition,
      committedOffset: null,
      metadata: '',
      startOffset: 0,
      kept: instance.intake.partitions.includes(partition),
    })),
  )
}

/** Delivers from `fromOffset`, as a consumer would; the answer is where it is to go on. */
function deliver(instance: LedgerWork, partition: number, fromOffset: number, count: number): number {
  const records = (log[partition] ?? []).slice(fromOffset, fromOffset + count)
  const endOffset = log[partition]?.length ?? 0
  if (records.length === 0) return fromOffset
  return instance.intake.take({
    topic: FACTS_TOPIC,
    partition,
    records,
    fromOffset,
    lastOffset: fromOffset + records.length - 1,
    endOffset,
  })
}

/** One instance reads everything there is and sums it up. */
async function finish(instance: LedgerWork): Promise<void> {
  assign(instance, [0, 1, 2])
  await scene.announce(scene.manifests)
  await instance.ingest()
  const next = [0, 0, 0]
  for (let round = 0; round < 1_000; round++) {
    await instance.followManifests()
    for (const [partition, from] of next.entries()) next[partition] = deliver(instance, partition, from, 50)
    const took = await instance.ingest()
    const derived = await instance.derive()
    if (took === 'idle' && derived === 'idle' && next.every((offset, index) => offset >= (log[index]?.length ?? 0)))
      return
  }
  throw new Error('the ledger does not come to an end')
}

describe('the ledger', { timeout: 60_000 }, () => {
  it('has the same rows whatever happens on the way (I9)', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (steps) => {
        const tables = ledgerTables(`run_${++runs}`)
        await migrate(database, tables)
        const flaky = lossy(database)
        const instances = [work(flaky, tables), work(flaky, tables)]
        const next = instances.map(() => [0, 0, 0])
        for (const one of steps) {
          if (one.do === 'lose') flaky.lose = one.when
          else if (one.do === 'empty') await emptyTables(database, tables)
          else {
            const instance = instances[one.at]
            const offsets = next[one.at]
            if (instance === undefined || offsets === undefined) continue
            if (one.do === 'assign') assign(instance, one.partitions)
            if (one.do === 'crash') instances[one.at] = work(flaky, tables)
            if (one.do === 'ingest') await tolerant(() => instance.ingest())
            if (one.do === 'derive') await tolerant(() => instance.derive())
            if (one.do === 'manifests') await tolerant(() => instance.followManifests())
            if (one.do === 'deliver') {
              const from = Math.max(0, (offsets[one.partition] ?? 0) - one.back)
              offsets[one.partition] = deliver(instance, one.partition, from, one.count)
            }
          }
        }
        flaky.lose = undefined
        await finish(work(database, tables))
        expect(await contentsOf(database, tables)).toEqual(expected)
        await dropTables(database, tables)
      }),
      { numRuns: RUNS },
    )
  })
})
