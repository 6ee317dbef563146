/** A process of its own that writes numbered records to a log file until it is killed. */
import { createMemoryBroker } from '../../../../../runtime/adapters/memory/broker.ts'
import { persistTo } from '../../../../../runtime/adapters/memory/persist.ts'
import { delay, systemClock } from '../../../../../runtime/ports/clock.ts'

const broker = createMemoryBroker({ clock: systemClock, autoCreateTopics: true, partitions: 1 })
await persistTo(broker, process.argv[2] ?? '', { flushMs: 2 })
const producer = await broker.producer()
for (let number = 0; ; number += 1) {
  await producer.send([{ topic: 'orders', partition: 0, key: 'k', value: Buffer.from(String(number)), headers: {} }])
  if (number % 50 === 49) await delay(systemClock, 0)
}
