/** A real Kafka as the broker suite needs it, with either of the two that write and read records. */
import { Kafka, logLevel, type Admin } from 'kafkajs'
import { installRequestQueueShim } from '../../runtime/adapters/kafka/request-queue-shim.ts'
import { physicalTopic } from '../../contracts/contract.ts'
import type { RecordsCodec } from '../../runtime/adapters/kafka/fetch-answers.ts'
import type { Broker } from '../../runtime/ports/broker.ts'
import { cuttableClient, type CuttableClient } from '../harness/kafka-client.ts'
import { expelMembers } from '../harness/kafka-expel.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { uniqueName } from '../harness/unique-name.ts'
import type { BrokerUnderTest } from './broker-bench.ts'

const brokers = await stackAddress('brokers')
const namespace = uniqueName('ns')

/** Each client is one of `records`. */
export async function kafkaUnderTest(records: RecordsCodec): Promise<BrokerUnderTest> {
  installRequestQueueShim()
  const clients = new Map<Broker, CuttableClient>()
  const admin: Admin = new Kafka({ brokers: [...brokers], clientId: 'trimmer', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  return {
    client: () => {
      const client = cuttableClient(brokers, namespace, { records })
      clients.set(client.broker, client)
      return client.broker
    },
    features: {
      crash: async (client) => {
        clients.get(client)?.cut()
        await client.close().catch(() => undefined)
      },
      expel: async (client, group) => {
        await expelMembers(brokers, physicalTopic(group, namespace), clients.get(client)?.clientId)
      },
      trim: async (topic, partition, offset) => {
        const physical = physicalTopic(topic, namespace)
        // kafkajs deletes records only of topics that it has looked at before.
        await admin.fetchTopicOffsets(physical)
        await admin.deleteTopicRecords({ topic: physical, partitions: [{ partition, offset: String(offset) }] })
      },
    },
    missing: {},
    patienceMs: 30_000,
    tearDown: () => admin.disconnect(),
  }
}
