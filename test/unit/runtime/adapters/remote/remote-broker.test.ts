/** A broker in another process: who may use it, and what a caller is told when it cannot be reached. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { createMemoryBroker, type MemoryBroker } from '../../../../../runtime/adapters/memory/broker.ts'
import { createRemoteBroker } from '../../../../../runtime/adapters/remote/client.ts'
import type { ConsumerHandlers } from '../../../../../runtime/ports/broker.ts'
import { systemClock } from '../../../../../runtime/ports/clock.ts'
import { readTopic } from '../../../../harness/read-topic.ts'
import { serveForTest, type ServedBroker } from '../../../../harness/served-broker.ts'

const NO_HANDLERS: ConsumerHandlers = {
  onAssigned: () => undefined,
  onRebalancing: () => [],
  onBatch: (batch) => batch.lastOffset + 1,
  onCrash: () => undefined,
}

describe('remote broker', () => {
  it('refuses whoever does not know the token', async () => {
    const { served, broker } = await serve()
    const stranger = createRemoteBroker({ url: served.url, token: 'guess' })
    await expect(stranger.connect()).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
    const creating = stranger.admin.createTopics([{ topic: 'x', partitions: 1, replication: 1, config: {} }])
    await expect(creating).rejects.toMatchObject({ details: { problem: 'the token is not accepted' } })
    expect(await broker.admin.listTopics()).toEqual([])
  })

  it('answers plain requests by what is wrong with them', async () => {
    const { served } = await serve()
    const post = async (path: string, body: string, method = 'POST'): Promise<unknown> => {
      const headers = { authorization: `Bearer ${served.token}` }
      const response = await fetch(`${served.url}${path}`, method === 'GET' ? { headers } : { method, headers, body })
      const { error } = (await response.json()) as { error?: { code: string } }
      return [response.status, error?.code]
    }
    expect(await post('/broker/v1/listTopics', '[]')).toEqual([200, undefined])
    expect(await post('/broker/v1/listTopics', '[]', 'GET')).toEqual([404, 'LABAN_BROKER_REFUSED'])
    expect(await post('/elsewhere', '[]')).toEqual([404, 'LABAN_BROKER_REFUSED'])
    expect(await post('/broker/v1/toString', '[]')).toEqual([422, 'LABAN_BROKER_REFUSED'])
    expect(await post('/broker/v1/listTopics', '{')).toEqual([422, 'LABAN_BROKER_REFUSED'])
    expect(await post('/broker/v1/send', '["nonsense"]')).toEqual([500, 'LABAN_INVARIANT'])
    expect(await post('/broker/v2/listTopics', '[]')).toEqual([422, 'LABAN_FORMAT_TOO_NEW'])
  })

  it('says that nobody is there', async () => {
    const { served } = await serve()
    const client = served.client()
    await client.connect()
    await served.close()
    const gone = { code: 'LABAN_BROKER_UNAVAILABLE', details: { brokers: served.url } }
    await expect(client.connect()).rejects.toMatchObject(gone)
    await expect(readTopic(client, 'orders')).rejects.toMatchObject(gone)
    const producer = await client.producer()
    await expect(producer.send([])).rejects.toMatchObject(gone)
  })

  it('says when an answer is cut in the middle', async () => {
    const { served, client, broker } = await serve()
    await broker.admin.createTopics([{ topic: 'orders', partitions: 1, replication: 1, config: {} }])
    const producer = await broker.producer()
    const record = { topic: 'orders', partition: 0, key: 'k', value: Buffer.alloc(1_000), headers: {} }
    await producer.send(Array.from({ length: 30_000 }, () => record))
    const reading = async (): Promise<void> => {
      for await (const records of client.reader.read({ topic: 'orders', partition: 0, fromOffset: 0 })) {
        if (records[0]?.offset === 0) await served.close()
      }
    }
    await expect(reading()).rejects.toMatchObject({ code: 'LABAN_BROKER_UNAVAILABLE' })
  })

  it('can be left in the middle of reading', async () => {
    const { client, broker } = await serve()
    await broker.admin.createTopics([{ topic: 'orders', partitions: 1, replication: 1, config: {} }])
    const producer = await broker.producer()
    const record = { topic: 'orders', partition: 0, key: 'k', value: Buffer.alloc(1_000), headers: {} }
    await producer.send(Array.from({ length: 20_000 }, () => record))
    for await (const records of client.reader.read({ topic: 'orders', partition: 0, fromOffset: 0 })) {
      expect(records[0]?.offset).toBe(0)
      break
    }
    expect(await client.admin.listTopics()).toEqual(['orders'])
  })

  it('passes the errors of the broker on, with what to do about them', async () => {
    const { client } = await serve()
    const failure = await client.admin.offsets('missing').catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'LABAN_BROKER_REFUSED',
      errorClass: 'terminal',
      details: { topic: 'missing' },
    })
    expect((failure as { remedy: string }).remedy).toContain('laban topics apply')
  })

  it('refuses to consume, saying where agents run', async () => {
    const { client } = await serve()
    const joining = client.consumer({ group: 'g', topics: ['orders'], startFrom: 'earliest' }, NO_HANDLERS)
    await expect(joining).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED', details: { topic: 'g' } })
  })

  it('refuses everything after close', async () => {
    const { client } = await serve()
    await client.close()
    await expect(client.connect()).rejects.toMatchObject({ details: { problem: 'the connection is closed' } })
  })
})

async function serve(): Promise<{
  served: ServedBroker
  broker: MemoryBroker
  client: ReturnType<ServedBroker['client']>
}> {
  const broker = createMemoryBroker({ clock: systemClock })
  const served = await serveForTest(broker)
  let isClosed = false
  const close = async (): Promise<void> => {
    if (!isClosed) await served.close()
    isClosed = true
  }
  onTestFinished(close)
  const guarded = { ...served, close }
  return { served: guarded, broker, client: guarded.client() }
}
