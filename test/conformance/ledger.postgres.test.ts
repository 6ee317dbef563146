/** The ledger on a real Kafka and a real PostgreSQL. */
import { createPostgresDatabase } from '../../runtime/adapters/postgres/database.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { cuttableClient } from '../harness/kafka-client.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { describeLedger } from './ledger.suite.ts'

const brokers = await stackAddress('brokers')
const url = await stackAddress('postgresUrl')

describeLedger('PostgreSQL', () =>
  Promise.resolve({
    broker: cuttableClient(brokers, uniqueName('ledger')).broker,
    database: createPostgresDatabase({ url, logger: silentLogger }),
  }),
)
