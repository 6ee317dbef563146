/** The archive on a real Kafka and a real PostgreSQL. */
import { physicalTopic } from '../../contracts/contract.ts'
import { createPostgresDatabase } from '../../runtime/adapters/postgres/database.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { cuttableClient } from '../harness/kafka-client.ts'
import { forgetRecords } from '../harness/kafka-forget.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { describeArchive } from './archive.suite.ts'

const brokers = await stackAddress('brokers')
const url = await stackAddress('postgresUrl')

describeArchive('PostgreSQL', () => {
  const namespace = uniqueName('archive')
  return Promise.resolve({
    broker: cuttableClient(brokers, namespace).broker,
    database: createPostgresDatabase({ url, logger: silentLogger }),
    forget: (topic, partition, offset) =>
      forgetRecords(brokers, physicalTopic(topic, namespace), { partition, offset }),
  })
})
