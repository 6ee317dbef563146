/** Administration: topics and their offsets. */
import { describe, expect, it } from 'vitest'
import { waitFor } from '../harness/wait.ts'
import type { BrokerBench } from './broker-bench.ts'

export function describeAdmin(bench: BrokerBench): void {
  describe('admin', () => {
    it('creates what is missing and leaves what exists alone', async () => {
      const topic = await bench.topic(2, { 'retention.ms': '3600000' })
      const fresh = `${topic}-fresh`
      const { admin } = await bench.client()
      await admin.createTopics([
        { topic, partitions: 5, replication: 1, config: { 'retention.ms': '1' } },
        { topic: fresh, partitions: 3, replication: 1, config: {} },
      ])
      const described = await admin.describeTopics([topic, `${topic}-missing`, fresh])
      expect(described.map((one) => [one.topic, one.partitions, one.replication])).toEqual([
        [topic, 2, 1],
        [fresh, 3, 1],
      ])
      expect(described[0]?.config['retention.ms']).toBe('3600000')
      expect(await admin.listTopics()).toEqual(expect.arrayContaining([topic, fresh]))
    })

    it('changes a setting and keeps the others', async () => {
      const topic = await bench.topic(1, { 'retention.ms': '3600000', 'max.message.bytes': '50000' })
      const { admin } = await bench.client()
      await admin.setTopicConfig(topic, { 'retention.ms': '7200000' })
      const [described] = await admin.describeTopics([topic])
      expect(described?.config).toMatchObject({ 'retention.ms': '7200000', 'max.message.bytes': '50000' })
    })

    it('adds partitions', async () => {
      const topic = await bench.topic(1)
      const { admin } = await bench.client()
      await admin.addPartitions(topic, 3)
      expect(await admin.describeTopics([topic])).toMatchObject([{ topic, partitions: 3 }])
      await waitFor(async () => {
        const [position] = await bench.write(topic, 2, 'v')
        return position?.partition === 2
      }, bench.until('a write to the new partition'))
    })

    it('knows first and next offset of each partition', async () => {
      const topic = await bench.topic(2)
      await bench.write(topic, 1, 'a', 'b')
      const { admin } = await bench.client()
      expect(await admin.offsets(topic)).toEqual([
        { partition: 0, startOffset: 0, endOffset: 0 },
        { partition: 1, startOffset: 0, endOffset: 2 },
      ])
    })

    it('finds offsets by time', async () => {
      const topic = await bench.topic(2)
      const { admin } = await bench.client()
      const betweenMs = await writeAroundATime(bench, topic)
      const offsets = async (atMs: number): Promise<readonly number[]> => {
        return (await admin.offsetsAt(topic, atMs))
          .toSorted((a, b) => a.partition - b.partition)
          .map((one) => one.offset)
      }
      expect(await offsets(betweenMs)).toEqual([2, 0])
      expect(await offsets(0)).toEqual([0, 0])
      expect(await offsets(Date.now() + 3_600_000)).toEqual([3, 0])
    })

    it('refuses to list offsets of a topic that does not exist', async () => {
      const topic = `${await bench.topic()}-missing`
      const { admin } = await bench.client()
      const refusal = { code: 'LABAN_BROKER_REFUSED', details: { topic } }
      await expect(admin.offsets(topic)).rejects.toMatchObject(refusal)
      await expect(admin.offsetsAt(topic, 0)).rejects.toMatchObject(refusal)
    })
  })
}

/** Writes two records to partition 0, then a third; gives a time between the second and the third. */
export async function writeAroundATime(bench: BrokerBench, topic: string): Promise<number> {
  await bench.write(topic, 0, 'old-1', 'old-2')
  const writtenMs = Date.now()
  const betweenMs = await waitFor(() => (Date.now() > writtenMs + 2 ? Date.now() : undefined), bench.until('later'))
  await waitFor(() => Date.now() > betweenMs, bench.until('later still'))
  await bench.write(topic, 0, 'new')
  return betweenMs
}
