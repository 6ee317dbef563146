/** The ledger embedded: the broker in memory, PGlite in this process. */
import { createMemoryBroker } from '../../runtime/adapters/memory/broker.ts'
import { openPgliteDatabase } from '../../runtime/adapters/pglite/database.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { describeLedger } from './ledger.suite.ts'

describeLedger('PGlite', async () => ({
  broker: createMemoryBroker({ clock: systemClock }),
  database: await openPgliteDatabase(),
}))
