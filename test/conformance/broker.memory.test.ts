/** The broker suite on the memory broker, on real time except where a test lets time pass. */
import { createMemoryBroker, type MemoryConnection } from '../../runtime/adapters/memory/broker.ts'
import { createSkippingClock } from '../harness/skipping-clock.ts'
import { describeBroker } from './broker.suite.ts'

describeBroker('memory', () => {
  const clock = createSkippingClock()
  const broker = createMemoryBroker({ clock })
  return {
    client: () => broker.connection(),
    features: {
      crash: (client) => Promise.resolve((client as MemoryConnection).crash()),
      expel: (client, group) => Promise.resolve((client as MemoryConnection).expel(group)),
      trim: (topic, partition, offset) => Promise.resolve(broker.trim(topic, partition, offset)),
    },
    missing: {},
    patienceMs: 5_000,
    letPass: (ms) => Promise.resolve(clock.skip(ms)),
  }
})
