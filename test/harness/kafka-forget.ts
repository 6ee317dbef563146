/** Lets a topic of the real Kafka forget records, as its retention would. */
import { Kafka, logLevel } from 'kafkajs'

/** All records below an offset; `topic` is the name on the broker. */
export async function forgetRecords(
  brokers: readonly string[],
  topic: string,
  { partition, offset }: { readonly partition: number; readonly offset: number },
): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    // kafkajs deletes records only of topics that it has looked at before.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  } finally {
    await admin.disconnect()
  }
}
