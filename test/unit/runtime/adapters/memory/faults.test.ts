/** What a test may let go wrong in the memory broker goes wrong exactly so. */
import { describe, expect, it } from 'vitest'
import { createMemoryBroker, type MemoryBroker } from '../../../../../runtime/adapters/memory/broker.ts'
import type { BrokerFaults, SendFault } from '../../../../../runtime/adapters/memory/faults.ts'
import type { OutgoingRecord } from '../../../../../runtime/ports/broker.ts'
import { systemClock } from '../../../../../runtime/ports/clock.ts'
import { joinGroup } from '../../../../harness/group-member.ts'
import { readTopic } from '../../../../harness/read-topic.ts'
import { waitFor } from '../../../../harness/wait.ts'

const UNAVAILABLE = { code: 'LABAN_BROKER_UNAVAILABLE', errorClass: 'retry' }

describe('faults of a send', () => {
  it('appends everything and loses the answer', async () => {
    const { broker, send } = await failingOnce('lost-ack')
    await expect(send(0, 1)).rejects.toMatchObject(UNAVAILABLE)
    expect(await readTopic(broker, 'orders')).toHaveLength(2)
    expect(await send(0)).toEqual([{ topic: 'orders', partition: 0, offset: 1 }])
  })

  it('appends nothing', async () => {
    const { broker, send } = await failingOnce('unavailable')
    await expect(send(0, 1)).rejects.toMatchObject(UNAVAILABLE)
    expect(await readTopic(broker, 'orders')).toEqual([])
  })

  it('appends to some partitions only', async () => {
    const { broker, send } = await failingOnce({ appendOnly: ({ partition }) => partition === 1 })
    await expect(send(0, 1, 0, 1)).rejects.toMatchObject(UNAVAILABLE)
    expect((await readTopic(broker, 'orders')).map(({ partition }) => partition)).toEqual([1, 1])
  })
})

describe('faults of a commit', () => {
  it.each([
    ['lost-ack', 1],
    ['unavailable', 0],
  ] as const)('%s', async (fault, stored) => {
    const broker = brokerWith({ onCommit: () => fault })
    const member = await joinGroup(broker, { group: 'g', topics: ['orders'] })
    await waitFor(() => member.assigned().length === 2)
    const commit = member.consumer.commit([{ topic: 'orders', partition: 0, offset: 0, metadata: 'x' }])
    await expect(commit).rejects.toMatchObject(UNAVAILABLE)
    expect(await broker.admin.groupOffsets('g', ['orders'])).toHaveLength(stored)
  })
})

describe('a broker that is away', () => {
  it('fails every call, delivers nothing, and goes on when it is back', async () => {
    let isAway = false
    let refusals = 0
    const unavailable = (): boolean => {
      if (isAway) refusals += 1
      return isAway
    }
    const broker = brokerWith({ unavailable })
    const producer = await broker.producer()
    const member = await joinGroup(broker, { group: 'g', topics: ['orders'], maxWaitMs: 2 })
    await waitFor(() => member.assigned().length === 2)
    const sent = producer.send([record(0)])
    isAway = true
    await sent
    await expect(broker.connect()).rejects.toMatchObject(UNAVAILABLE)
    await expect(producer.send([record(0)])).rejects.toMatchObject(UNAVAILABLE)
    await expect(broker.admin.listTopics()).rejects.toMatchObject(UNAVAILABLE)
    await waitFor(() => refusals > 6, { what: 'a member that has asked for records more than once' })
    expect(member.records).toEqual([])
    isAway = false
    await waitFor(() => member.records.length === 1)
  })
})

describe('a crashed client', () => {
  it('is never called again, its calls never settle, and they have no effect', async () => {
    const broker = brokerWith({})
    const client = broker.connection()
    const producer = await client.producer()
    const member = await joinGroup(client, { group: 'g', topics: ['orders'] })
    await waitFor(() => member.assigned().length === 2)
    const settled: string[] = []
    const watch = (name: string, call: Promise<unknown>): void => {
      void call.then(
        () => settled.push(name),
        () => settled.push(name),
      )
    }
    watch('send begun before', producer.send([record(0)]))
    client.crash()
    watch('send', producer.send([record(1)]))
    watch('commit', member.consumer.commit([{ topic: 'orders', partition: 0, offset: 1, metadata: '' }]))
    watch('stop', member.consumer.stop())
    const witness = await joinGroup(broker, { group: 'other', topics: ['orders'] })
    await waitFor(() => witness.records.length === 1)
    expect(settled).toEqual([])
    expect(member.records).toEqual([])
    expect(await readTopic(broker, 'orders')).toHaveLength(1)
    expect(await broker.admin.groupOffsets('g', ['orders'])).toEqual([])
    expect(await broker.admin.describeGroup('g')).toMatchObject({ members: 1 })
  })
})

function record(partition: number): OutgoingRecord {
  return { topic: 'orders', partition, key: 'k', value: Buffer.from('v'), headers: {} }
}

function brokerWith(faults: BrokerFaults): MemoryBroker {
  return createMemoryBroker({ clock: systemClock, autoCreateTopics: true, partitions: 2, faults })
}

/** A broker whose first send fails in a given way. */
async function failingOnce(
  fault: SendFault,
): Promise<{ broker: MemoryBroker; send: (...partitions: readonly number[]) => Promise<readonly unknown[]> }> {
  const faults = [fault]
  const broker = brokerWith({ onSend: () => faults.pop() })
  await broker.admin.createTopics([{ topic: 'orders', partitions: 2, replication: 1, config: {} }])
  const producer = await broker.producer()
  return { broker, send: (...partitions) => producer.send(partitions.map(record)) }
}
