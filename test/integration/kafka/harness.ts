/** What the tests of the Kafka adapter share: one namespace, clients and topics, and their end. */
import { kafkaConnection, type ConnectionOptions } from '../../../runtime/adapters/kafka/connection.ts'
import { ClusterAccess } from '../../../runtime/adapters/kafka/cluster-access.ts'
import { physicalNames } from '../../../runtime/adapters/kafka/physical-names.ts'
import { KafkaProducer } from '../../../runtime/adapters/kafka/producer.ts'
import type { Broker, BrokerRecord, OutgoingRecord } from '../../../runtime/ports/broker.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { cuttableClient, type CuttableClient } from '../../harness/kafka-client.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'

export const brokers = await stackAddress('brokers')
export const namespace = uniqueName('it')
export const names = physicalNames(namespace)

const closing: (() => Promise<void>)[] = []

/** A connected client; with a port, over the proxy that listens there. */
export async function newClient(port?: number): Promise<CuttableClient> {
  const client = cuttableClient(brokers, namespace, port === undefined ? {} : { port })
  await client.broker.connect()
  closing.push(() => client.broker.close())
  return client
}

/** A producer of which the test can set what clients cannot. */
export function newProducer(
  options: Partial<ConnectionOptions> & { readonly deliveryTimeoutMs?: number } = {},
): KafkaProducer {
  const connection = kafkaConnection({ brokers, clientId: uniqueName('test'), logger: silentLogger, ...options })
  const access = new ClusterAccess(connection, systemClock)
  const { deliveryTimeoutMs = 30_000 } = options
  const producer = new KafkaProducer({ access, names, clock: systemClock, logger: silentLogger, deliveryTimeoutMs })
  closing.push(() => producer.close())
  return producer
}

export async function newTopic(
  { broker }: CuttableClient,
  partitions = 1,
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const topic = uniqueName('topic')
  await broker.admin.createTopics([{ topic, partitions, replication: 1, config }])
  return topic
}

/** Records with these texts for one partition. */
export function textsFor(topic: string, partition: number, ...texts: readonly string[]): readonly OutgoingRecord[] {
  return texts.map((text) => ({ topic, partition, key: 'k', value: Buffer.from(text), headers: {} }))
}

export async function readTexts(broker: Broker, topic: string, partition = 0): Promise<readonly string[]> {
  const records: BrokerRecord[] = []
  for await (const batch of broker.reader.read({ topic, partition, fromOffset: 0 })) records.push(...batch)
  return records.map(({ value }) => value?.toString() ?? '')
}

/** Closes everything that was made here. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close()
}
