/** Appending and reading: what is written is what is read, where the answer said. */
import { describe, expect, it } from 'vitest'
import type { BrokerRecord, LogReader, OutgoingRecord } from '../../runtime/ports/broker.ts'
import { waitFor } from '../harness/wait.ts'
import type { BrokerBench } from './broker-bench.ts'

export function describeLog(bench: BrokerBench): void {
  describe('producer', () => {
    it('appends in order and answers one position per record, in the order of the records', async () => {
      const topic = await bench.topic(3)
      const records = Array.from({ length: 12 }, (_, index) => record(topic, index % 3, `v${index}`))
      const positions = await bench.send(records)
      expect(positions).toEqual(
        records.map((_, index) => ({ topic, partition: index % 3, offset: Math.floor(index / 3) })),
      )
      const more = await bench.send([record(topic, 1, 'next')])
      expect(more).toEqual([{ topic, partition: 1, offset: 4 }])
      expect(texts(await readAll(bench, topic, 1))).toEqual(['v1', 'v4', 'v7', 'v10', 'next'])
    })

    it('appends to several topics in one send', async () => {
      const [first, second] = [await bench.topic(), await bench.topic()]
      const positions = await bench.send([record(second, 0, 'b'), record(first, 0, 'a'), record(second, 0, 'c')])
      expect(positions.map(({ topic, offset }) => [topic, offset])).toEqual([
        [second, 0],
        [first, 0],
        [second, 1],
      ])
    })

    it('places keys as the Java client does', async () => {
      const topic = await bench.topic(6)
      const producer = await (await bench.client()).producer()
      // Hashes from the tests of Kafka's own client.
      const hashes = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536, abc: 479470107 }
      for (const [key, hash] of Object.entries(hashes)) {
        const partition = (hash & 0x7fffffff) % 6
        expect(await producer.partitionFor(topic, key), key).toBe(partition)
        expect(await producer.partitionFor(topic, Buffer.from(key)), key).toBe(partition)
        const [position] = await producer.send([{ topic, key, value: null, headers: {} }])
        expect(position?.partition, key).toBe(partition)
      }
      await producer.close()
    })

    it('keeps headers: text, bytes, empty, repeated', async () => {
      const topic = await bench.topic()
      const bytes = Buffer.from([0x00, 0xff, 0x80, 0x0a])
      const headers = { ce_id: 'grüße', bytes, empty: '', again: ['one', bytes, 'three'] }
      await bench.send([{ topic, partition: 0, key: 'k', value: Buffer.from('v'), headers }])
      const [read] = await readAll(bench, topic, 0)
      expect(asBuffer(read?.headers['ce_id']).toString()).toBe('grüße')
      expect(asBuffer(read?.headers['bytes'])).toEqual(bytes)
      expect(asBuffer(read?.headers['empty'])).toHaveLength(0)
      const again = read?.headers['again'] as readonly (Buffer | string)[]
      expect(again.map((value) => asBuffer(value))).toEqual([Buffer.from('one'), bytes, Buffer.from('three')])
    })

    it('keeps null and empty keys and values apart', async () => {
      const topic = await bench.topic()
      const nothing = { topic, partition: 0, key: null, value: null, headers: {} }
      const empty = { topic, partition: 0, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: {} }
      await bench.send([nothing, empty])
      const read = await readAll(bench, topic, 0)
      expect(read.map(({ key, value }) => [key, value])).toEqual([
        [null, null],
        [Buffer.alloc(0), Buffer.alloc(0)],
      ])
    })

    it('refuses a record that has neither key nor partition', async () => {
      const topic = await bench.topic(2)
      const send = bench.send([{ topic, key: null, value: null, headers: {} }])
      await expect(send).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED', details: { topic } })
    })

    it('refuses a record that is too large, names its topic, and goes on', async () => {
      const [small, other] = [await bench.topic(1, { 'max.message.bytes': '2000' }), await bench.topic()]
      const large = record(small, 0, 'x'.repeat(5_000))
      const refusal = { code: 'LABAN_BROKER_MESSAGE_TOO_LARGE', details: { topic: small } }
      await expect(bench.send([large])).rejects.toMatchObject(refusal)
      await expect(bench.send([record(other, 0, 'beside'), large])).rejects.toMatchObject(refusal)
      expect(await bench.send([record(small, 0, 'fits')])).toEqual([{ topic: small, partition: 0, offset: 0 }])
    })

    it('refuses a topic that does not exist', async () => {
      const topic = `${await bench.topic()}-missing`
      const refusal = { code: 'LABAN_BROKER_REFUSED', details: { topic } }
      await expect(bench.send([record(topic, 0, 'v')])).rejects.toMatchObject(refusal)
      const producer = await (await bench.client()).producer()
      await expect(producer.partitionFor(topic, 'k')).rejects.toMatchObject(refusal)
      await producer.close()
    })
  })

  describe('reader', () => {
    it('reads from an offset to an offset', async () => {
      const topic = await bench.topic()
      await bench.write(topic, 0, 'a', 'b', 'c', 'd', 'e')
      const { reader } = await bench.client()
      const at = { topic, partition: 0 }
      expect(texts(await collect(reader, { ...at, fromOffset: 1, toOffset: 3 }))).toEqual(['b', 'c'])
      expect(texts(await collect(reader, { ...at, fromOffset: 3 }))).toEqual(['d', 'e'])
      expect(texts(await collect(reader, { ...at, fromOffset: 2, toOffset: 2 }))).toEqual([])
      expect(texts(await collect(reader, { ...at, fromOffset: 5 }))).toEqual([])
      expect(texts(await collect(reader, { ...at, fromOffset: 3, toOffset: 99 }))).toEqual(['d', 'e'])
    })

    it('ends on an empty partition', async () => {
      expect(await readAll(bench, await bench.topic(), 0)).toEqual([])
    })

    it('reads many records in order, in more than one batch', async () => {
      const topic = await bench.topic()
      const values = Array.from({ length: 5_000 }, (_, index) => `${index}`)
      await bench.write(topic, 0, ...values)
      expect(texts(await readAll(bench, topic, 0))).toEqual(values)
    })

    it('gives offset and time of a record', async () => {
      const topic = await bench.topic()
      const beforeMs = Date.now()
      await bench.write(topic, 0, 'a', 'b')
      const read = await readAll(bench, topic, 0)
      expect(read.map(({ offset }) => offset)).toEqual([0, 1])
      for (const { timestampMs } of read) expect(Math.abs(timestampMs - beforeMs)).toBeLessThan(60_000)
    })

    it('refuses a topic that does not exist', async () => {
      const topic = `${await bench.topic()}-missing`
      const reading = readAll(bench, topic, 0)
      await expect(reading).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED', details: { topic } })
    })

    const { trim } = bench.features
    if (trim !== undefined) {
      it('begins at the start of the log when that has moved up', async () => {
        const topic = await bench.topic()
        await bench.write(topic, 0, 'a', 'b', 'c', 'd')
        await trim(topic, 0, 2)
        const { admin } = await bench.client()
        await waitFor(async () => (await admin.offsets(topic))[0]?.startOffset === 2, bench.until('the moved start'))
        expect(texts(await readAll(bench, topic, 0))).toEqual(['c', 'd'])
      })
    }
  })
}

function record(topic: string, partition: number, text: string): OutgoingRecord {
  return { topic, partition, key: 'k', value: Buffer.from(text), headers: {} }
}

async function readAll(bench: BrokerBench, topic: string, partition: number): Promise<readonly BrokerRecord[]> {
  return await collect((await bench.client()).reader, { topic, partition, fromOffset: 0 })
}

async function collect(reader: LogReader, from: Parameters<LogReader['read']>[0]): Promise<readonly BrokerRecord[]> {
  const records: BrokerRecord[] = []
  for await (const batch of reader.read(from)) records.push(...batch)
  return records
}

function texts(records: readonly BrokerRecord[]): readonly string[] {
  return records.map((read) => read.value?.toString() ?? '')
}

function asBuffer(value: unknown): Buffer {
  expect(Buffer.isBuffer(value) || typeof value === 'string').toBe(true)
  return Buffer.from(value as string)
}
