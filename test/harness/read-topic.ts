/** Everything that a topic holds, for assertions. */
import type { Broker, BrokerRecord, TopicPartition } from '../../runtime/ports/broker.ts'

/** Records of all partitions, by partition and offset. */
export async function readTopic(broker: Broker, topic: string): Promise<readonly (BrokerRecord & TopicPartition)[]> {
  const records: (BrokerRecord & TopicPartition)[] = []
  for (const { partition, startOffset } of await broker.admin.offsets(topic)) {
    for await (const batch of broker.reader.read({ topic, partition, fromOffset: startOffset })) {
      records.push(...batch.map((record) => ({ ...record, topic, partition })))
    }
  }
  return records
}
