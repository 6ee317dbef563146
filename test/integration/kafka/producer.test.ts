/** The producer when acknowledgements are lost: nothing is lost, nothing is appended twice, order holds. */
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { CuttableClient } from '../../harness/kafka-client.ts'
import { API, startKafkaProxy, type KafkaProxy } from '../../harness/kafka-proxy.ts'
import { brokers, closeAll, newClient, newProducer, newTopic, readTexts, textsFor } from './harness.ts'

describe('producer', () => {
  let client: CuttableClient
  let proxy: KafkaProxy
  beforeAll(async () => {
    client = await newClient()
    proxy = await startKafkaProxy(brokers[0] ?? '')
  })
  afterEach(() => proxy.loseAnswers(API.produce, 0))
  afterAll(async () => {
    await closeAll()
    await proxy.close()
  })

  /** Reaches the broker over the proxy only. */
  function proxied(deliveryTimeoutMs = 30_000): ReturnType<typeof newProducer> {
    return newProducer({
      deliveryTimeoutMs,
      socketFactory: ({ host, onConnect }) => connect({ host, port: proxy.port }, onConnect),
    })
  }

  it('appends once and in order although the acknowledgement of the first of three sends is lost', async () => {
    const topic = await newTopic(client)
    const producer = proxied()
    await producer.send(textsFor(topic, 0, 'warm-up'))
    proxy.loseAnswers(API.produce, 1)
    const before = proxy.requests(API.produce)
    const sent = await Promise.all(['A', 'B', 'C'].map((text) => producer.send(textsFor(topic, 0, text))))
    expect(sent.flat().map(({ offset }) => offset)).toEqual([1, 2, 3])
    expect(await readTexts(client.broker, topic)).toEqual(['warm-up', 'A', 'B', 'C'])
    expect(proxy.requests(API.produce) - before, 'the first was sent twice').toBe(4)
  })

  it('appends what follows a failed send, although the failed one was appended', async () => {
    const topic = await newTopic(client)
    const producer = proxied(300)
    await producer.send(textsFor(topic, 0, 'warm-up'))
    proxy.loseAnswers(API.produce, 1_000)
    const failing = producer.send(textsFor(topic, 0, 'unknown'))
    await expect(failing).rejects.toMatchObject({ code: 'LABAN_BROKER_UNAVAILABLE' })
    proxy.loseAnswers(API.produce, 0)
    // Of the same length as the failed one: with its sequence numbers the broker would take it for a repetition and drop it.
    await producer.send(textsFor(topic, 0, 'after'))
    expect(await readTexts(client.broker, topic)).toEqual(['warm-up', 'unknown', 'after'])
  })

  it('appends to the other partitions when one is refused', async () => {
    const [small, other] = [await newTopic(client, 1, { 'max.message.bytes': '1000' }), await newTopic(client, 2)]
    const producer = newProducer()
    const records = [
      ...textsFor(other, 0, 'a'),
      ...textsFor(small, 0, 'fits', 'x'.repeat(2_000), 'behind'),
      ...textsFor(other, 1, 'b'),
    ]
    const refusal = { code: 'LABAN_BROKER_MESSAGE_TOO_LARGE', details: { topic: small, maxBytes: 1_000 } }
    await expect(producer.send(records)).rejects.toMatchObject(refusal)
    expect(await readTexts(client.broker, other, 0)).toEqual(['a'])
    expect(await readTexts(client.broker, other, 1)).toEqual(['b'])
    expect(await readTexts(client.broker, small), 'what stood behind must not overtake').toEqual(['fits'])
  })

  it('splits what is too large together', async () => {
    const topic = await newTopic(client, 1, { 'max.message.bytes': '1500' })
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(400, '.'))
    const positions = await newProducer().send(textsFor(topic, 0, ...texts))
    expect(positions.map(({ offset }) => offset)).toEqual(texts.map((_, index) => index))
    expect(await readTexts(client.broker, topic)).toEqual(texts)
  })

  it('sends more than fits into one batch or one request', async () => {
    const topic = await newTopic(client, 12)
    const records = Array.from({ length: 60 }, (_, index) => index).flatMap((index) =>
      textsFor(topic, index % 12, `${index}`.padEnd(400_000, '.')),
    )
    const positions = await newProducer().send(records)
    expect(positions.map(({ partition, offset }) => [partition, offset])).toEqual(
      records.map((_, index) => [index % 12, Math.floor(index / 12)]),
    )
  })

  it('writes to a partition that was added after the topic was first used', async () => {
    const topic = await newTopic(client)
    const producer = newProducer()
    await producer.send(textsFor(topic, 0, 'a'))
    await client.broker.admin.addPartitions(topic, 3)
    expect(await producer.send(textsFor(topic, 2, 'b'))).toEqual([{ topic, partition: 2, offset: 0 }])
    await expect(producer.send(textsFor(topic, 7, 'c'))).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
  })

  it('says that the broker is unavailable, and works again when it is back', async () => {
    const topic = await newTopic(client)
    const lonely = await newClient()
    const producer = await lonely.broker.producer()
    await producer.send(textsFor(topic, 0, 'before'))
    lonely.cut()
    const waiting = producer.send(textsFor(topic, 0, 'meanwhile'))
    lonely.mend()
    await waiting
    expect(await readTexts(client.broker, topic)).toEqual(['before', 'meanwhile'])
  })

  it('cannot connect where nothing listens', async () => {
    const producer = newProducer({ brokers: ['127.0.0.1:9'], deliveryTimeoutMs: 200 })
    const failing = producer.send(textsFor('any', 0, 'a'))
    await expect(failing).rejects.toMatchObject({
      code: 'LABAN_BROKER_UNAVAILABLE',
      details: { brokers: '127.0.0.1:9' },
    })
  })
})
