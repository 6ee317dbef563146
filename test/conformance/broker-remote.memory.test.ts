/** Producer, administration and reader of the broker suite, on a memory broker that is served over HTTP. */
import { afterAll, beforeAll, describe } from 'vitest'
import { createMemoryBroker } from '../../runtime/adapters/memory/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { serveForTest } from '../harness/served-broker.ts'
import { describeAdmin } from './broker-admin.suite.ts'
import { BrokerBench } from './broker-bench.ts'
import { describeLog } from './broker-log.suite.ts'

describe('broker: remote', async () => {
  const broker = createMemoryBroker({ clock: systemClock })
  const served = await serveForTest(broker)
  const bench = new BrokerBench({
    client: () => served.client(),
    features: { trim: (...where) => Promise.resolve(broker.trim(...where)) },
    missing: { crash: 'no consumers', expel: 'no consumers' },
    patienceMs: 5_000,
  })
  beforeAll(async () => {
    await bench.client()
  })
  afterAll(async () => {
    await bench.close()
    await served.close()
  })
  describeLog(bench)
  describeAdmin(bench)
})
