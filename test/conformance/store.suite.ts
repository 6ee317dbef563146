/**
 * What every store of claims must do, whatever it is made of: memory, Redis and Redis Cluster run the same tests, so that what
 * holds in an embedded run holds on the real server.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreBench, type StoreUnderTest } from './store-bench.ts'
import { describeBatches } from './store-batches.suite.ts'
import { describeJoins } from './store-joins.suite.ts'
import { describeJournal } from './store-journal.suite.ts'
import { describeMarks } from './store-marks.suite.ts'
import { describeLeases } from './store-leases.suite.ts'
import { describeParking } from './store-parking.suite.ts'
import { describeRaces } from './store-races.suite.ts'
import { describeRecovery } from './store-recovery.suite.ts'
import { describeStates } from './store-states.suite.ts'
import { describeView } from './store-view.suite.ts'

/** Runs the suite on one store. */
export function describeStore(name: string, setUp: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  describe(`store: ${name}`, async () => {
    const underTest = await setUp()
    const bench = new StoreBench(underTest)
    beforeAll(() => bench.connect())
    afterAll(async () => {
      await bench.close()
      await underTest.tearDown?.()
    })

    it('says what it is and whether it has room', async () => {
      expect(await bench.mine.health()).toMatchObject({ version: expect.stringMatching(/./) as string, full: false })
    })
    describeStates(bench)
    describeRaces(bench)
    describeJoins(bench)
    describeLeases(bench)
    describeJournal(bench)
    describeParking(bench)
    describeMarks(bench)
    describeBatches(bench)
    describeRecovery(bench)
    describeView(bench)
  })
}
