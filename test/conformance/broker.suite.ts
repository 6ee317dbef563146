/**
 * What every broker must do, whatever it is made of. One suite over the port: memory and Kafka run the same tests, so that what
 * a simulation proves holds on a real log. A broker that cannot be made to do something says why in `missing`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerBench, type BrokerFeatures, type BrokerUnderTest } from './broker-bench.ts'
import { describeAdmin } from './broker-admin.suite.ts'
import { describeDelivery } from './broker-delivery.suite.ts'
import { describeGroups } from './broker-groups.suite.ts'
import { describeLog } from './broker-log.suite.ts'
import { describeOffsets } from './broker-offsets.suite.ts'

const PARTS = [describeLog, describeAdmin, describeDelivery, describeOffsets, describeGroups]

/** Runs the suite, or some of its parts, on one broker. */
export function describeBroker(
  name: string,
  setUp: () => BrokerUnderTest | Promise<BrokerUnderTest>,
  parts: readonly ((bench: BrokerBench) => void)[] = PARTS,
): void {
  describe(`broker: ${name}`, async () => {
    const underTest = await setUp()
    const bench = new BrokerBench(underTest)
    beforeAll(async () => {
      await bench.client()
    })
    afterAll(async () => {
      await bench.close()
      await underTest.tearDown?.()
    })

    it('says why a feature is missing', () => {
      const all: readonly (keyof BrokerFeatures)[] = ['crash', 'expel', 'trim']
      for (const feature of all) {
        expect(underTest.features[feature] === undefined, feature).toBe((underTest.missing[feature] ?? '') !== '')
      }
    })
    for (const part of parts) part(bench)
  })
}
