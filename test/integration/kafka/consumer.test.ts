/** A consumer when things go wrong around it: brokers away, log cut, nothing to deliver, silence. */
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { joinGroup } from '../../harness/group-member.ts'
import type { CuttableClient } from '../../harness/kafka-client.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import { brokers, closeAll, names, newClient, newProducer, newTopic, readTexts, textsFor } from './harness.ts'

describe('consumer', () => {
  let client: CuttableClient
  const raw = new Kafka({ brokers: [...brokers], clientId: 'raw', logLevel: logLevel.NOTHING })
  beforeAll(async () => {
    client = await newClient()
  })
  afterAll(closeAll)

  it('comes back by itself after the brokers were away', async () => {
    const topic = await newTopic(client)
    const group = uniqueName('g')
    const producer = newProducer()
    const mine = await newClient()
    await producer.send(textsFor(topic, 0, 'a'))
    const member = await joinGroup(mine.broker, { group, topics: [topic] })
    await waitFor(() => member.records.length === 1, { timeoutMs: 20_000, what: 'a record' })
    await member.consumer.commit([{ topic, partition: 0, offset: 1, metadata: '' }])
    mine.cut()
    await expect(member.consumer.commit([{ topic, partition: 0, offset: 1, metadata: '' }])).rejects.toMatchObject({
      code: 'LABAN_BROKER_UNAVAILABLE',
    })
    await producer.send(textsFor(topic, 0, 'b'))
    mine.mend()
    await waitFor(() => member.texts().includes('b'), { timeoutMs: 40_000, what: 'the record after the outage' })
    expect(member.texts()).toEqual(['a', 'b'])
    expect(member.crashes).toEqual([])
  })

  it('reads on at the start of the log when retention has passed it, and keeps the commit', async () => {
    const topic = await newTopic(client)
    const group = uniqueName('g')
    const producer = newProducer()
    await producer.send(textsFor(topic, 0, 'a', 'b'))
    const member = await joinGroup((await newClient()).broker, { group, topics: [topic] })
    await waitFor(() => member.records.length === 2, { timeoutMs: 20_000, what: '2 records' })
    const commit = { topic, partition: 0, offset: 1, metadata: 'kept' }
    await member.consumer.commit([commit])
    member.consumer.pause([{ topic, partition: 0 }])
    await producer.send(textsFor(topic, 0, 'c', 'd', 'e'))
    await deleteBelow(names.topic(topic), 4)
    member.consumer.resume([{ topic, partition: 0 }])
    await waitFor(() => member.texts().includes('e'), { timeoutMs: 20_000, what: 'the last record' })
    expect(member.texts(), 'paused, c and d may have been fetched before the cut').toEqual(['a', 'b', 'e'])
    expect(member.batches.at(-1)?.fromOffset).toBe(4)
    expect(await client.broker.admin.groupOffsets(group, [topic])).toEqual([commit])
  })

  it('passes over transactions that were aborted and says how far', async () => {
    const topic = await newTopic(client)
    const group = uniqueName('g')
    const transactional = raw.producer({ idempotent: true, maxInFlightRequests: 1, transactionalId: uniqueName('tx') })
    await transactional.connect()
    const transaction = await transactional.transaction()
    await transaction.send({ topic: names.topic(topic), messages: [{ value: 'never' }, { value: 'ever' }] })
    await transaction.abort()
    await transactional.disconnect()
    const member = await joinGroup((await newClient()).broker, { group, topics: [topic] })
    await waitFor(() => member.batches.at(-1)?.lastOffset === 2, {
      timeoutMs: 20_000,
      what: 'a batch up to the marker',
    })
    expect(member.records).toEqual([])
    await newProducer().send(textsFor(topic, 0, 'after'))
    await waitFor(() => member.records.length === 1, { timeoutMs: 20_000, what: 'a record' })
    expect(member.batches.at(-1)).toMatchObject({ fromOffset: 3, lastOffset: 3, endOffset: 4 })
  })

  it.each(['gzip', 'zstd', 'snappy', 'lz4'])('reads what others have compressed with %s', async (codec) => {
    const topic = await newTopic(client, 1, { 'compression.type': codec })
    const texts = Array.from(
      { length: 500 },
      (_, index) => `${index} ${'of five hundred texts that are alike. '.repeat(index % 40)}`,
    )
    await newProducer().send(textsFor(topic, 0, ...texts))
    const member = await joinGroup((await newClient()).broker, { group: uniqueName('g'), topics: [topic] })
    await waitFor(() => member.records.length >= 500, { timeoutMs: 20_000, what: '500 records' })
    expect(member.texts()).toEqual(texts)
    expect(await readTexts(client.broker, topic)).toEqual(texts)
  })

  it('crashes when a handler throws, and leaves the group', async () => {
    const topic = await newTopic(client)
    const group = uniqueName('g')
    await newProducer().send(textsFor(topic, 0, 'a'))
    const member = await joinGroup(
      (await newClient()).broker,
      { group, topics: [topic] },
      {
        onBatch: () => {
          throw new TypeError('a bug')
        },
      },
    )
    await waitFor(() => member.crashes.length > 0, { timeoutMs: 20_000, what: 'a crash' })
    await waitFor(async () => (await client.broker.admin.describeGroup(group)).members === 0, { timeoutMs: 20_000 })
    expect(member.crashes).toHaveLength(1)
    expect(member.batches).toHaveLength(1)
  })

  it('leaves the group when it is stopped before it has joined', async () => {
    const topic = await newTopic(client)
    const group = uniqueName('g')
    const member = await joinGroup((await newClient()).broker, { group, topics: [topic] })
    await member.consumer.stop()
    await waitFor(async () => (await client.broker.admin.describeGroup(group)).members === 0, { timeoutMs: 20_000 })
    expect(member.assignments).toEqual([])
  })

  it('stays a member while its owner is not ready, and delivers once it is', async () => {
    const topic = await newTopic(client)
    const group = uniqueName('g')
    await newProducer().send(textsFor(topic, 0, 'a'))
    const gate = Promise.withResolvers<void>()
    const timing = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 }
    const member = await joinGroup(
      (await newClient()).broker,
      { group, topics: [topic], ...timing },
      {
        onAssigned: () => gate.promise,
      },
    )
    const startMs = performance.now()
    await waitFor(() => performance.now() - startMs > 9_000, { timeoutMs: 20_000, what: 'one and a half sessions' })
    expect(await client.broker.admin.describeGroup(group)).toMatchObject({ state: 'Stable', members: 1 })
    expect([member.assignments.length, member.records.length]).toEqual([1, 0])
    gate.resolve()
    await waitFor(() => member.records.length === 1, { timeoutMs: 20_000, what: 'a record' })
  })

  async function deleteBelow(physicalTopic: string, offset: number): Promise<void> {
    const admin = raw.admin()
    await admin.connect()
    await admin.fetchTopicOffsets(physicalTopic)
    await admin.deleteTopicRecords({ topic: physicalTopic, partitions: [{ partition: 0, offset: String(offset) }] })
    await admin.disconnect()
  }
})
