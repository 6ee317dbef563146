/** The archive embedded: the broker in memory, PGlite in this process. */
import { createMemoryBroker } from '../../runtime/adapters/memory/broker.ts'
import { openPgliteDatabase } from '../../runtime/adapters/pglite/database.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { describeArchive } from './archive.suite.ts'

describeArchive('PGlite', async () => {
  const broker = createMemoryBroker({ clock: systemClock })
  return {
    broker,
    database: await openPgliteDatabase(),
    forget: (topic, partition, offset) => Promise.resolve(broker.trim(topic, partition, offset)),
  }
})
