/** What the memory broker promises beyond the port: order of events, speed that starves nobody, owners that fail. */
import { describe, expect, it } from 'vitest'
import { createMemoryBroker } from '../../../../../runtime/adapters/memory/broker.ts'
import { systemClock, type Clock } from '../../../../../runtime/ports/clock.ts'
import { joinGroup } from '../../../../harness/group-member.ts'
import { waitFor } from '../../../../harness/wait.ts'

describe('memory broker', () => {
  it('refuses unknown topics unless it was told to create them', async () => {
    const strict = await createMemoryBroker({ clock: systemClock }).producer()
    await expect(strict.partitionFor('orders', 'k')).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
    const easy = createMemoryBroker({ clock: systemClock, autoCreateTopics: true })
    await (await easy.producer()).partitionFor('orders', 'k')
    expect(await easy.admin.describeTopics(['orders'])).toMatchObject([{ partitions: 6 }])
  })

  it('does the same under the same clock', async () => {
    const [one, two] = [await storyOf(), await storyOf()]
    expect(one).toEqual(two)
    expect(one.length).toBeGreaterThan(10)
  })

  it('lets timers fire while members feed each other without end', async () => {
    const broker = createMemoryBroker({ clock: systemClock, autoCreateTopics: true, partitions: 1 })
    const producer = await broker.producer()
    let rounds = 0
    await joinGroup(
      broker,
      { group: 'g', topics: ['ping'] },
      {
        onBatch: (batch) => {
          rounds += 1
          void producer.send([{ topic: 'ping', partition: 0, key: 'k', value: null, headers: {} }])
          return batch.lastOffset + 1
        },
      },
    )
    await producer.send([{ topic: 'ping', partition: 0, key: 'k', value: null, headers: {} }])
    await waitFor(() => rounds > 10_000, { what: 'many rounds, seen from a timer' })
    await broker.close()
  })

  it('keeps a copy: what the sender does to its buffers afterwards changes nothing', async () => {
    const broker = createMemoryBroker({ clock: systemClock, autoCreateTopics: true, partitions: 1 })
    const bytes = Buffer.from('before')
    const member = await joinGroup(broker, { group: 'g', topics: ['orders'] })
    const producer = await broker.producer()
    const headers = { one: bytes, two: [bytes, bytes] }
    await producer.send([{ topic: 'orders', key: bytes, value: bytes, headers }])
    bytes.write('after!')
    await waitFor(() => member.records.length === 1)
    const [record] = member.records
    const copies = [record?.key, record?.value, record?.headers['one'], ...(record?.headers['two'] as Buffer[])]
    expect(copies.map(String)).toEqual(Array.from({ length: 5 }, () => 'before'))
  })

  it.each(['onAssigned', 'onBatch'] as const)('ends a member whose %s throws, and tells it once', async (name) => {
    const broker = createMemoryBroker({ clock: systemClock, autoCreateTopics: true, partitions: 1 })
    const problem = new Error('broken')
    const fail = (): never => {
      throw problem
    }
    const member = await joinGroup(broker, { group: 'g', topics: ['orders'] }, { [name]: fail })
    await (await broker.producer()).send([{ topic: 'orders', key: 'k', value: null, headers: {} }])
    await waitFor(() => member.crashes.length > 0)
    await waitFor(async () => (await broker.admin.describeGroup('g')).state === 'Empty')
    expect(member.crashes).toEqual([problem])
  })

  it('gives new partitions to running members', async () => {
    const broker = createMemoryBroker({ clock: systemClock, autoCreateTopics: true, partitions: 1 })
    const member = await joinGroup(broker, { group: 'g', topics: ['orders'] })
    await waitFor(() => member.assigned().length === 1)
    await broker.admin.addPartitions('orders', 3)
    await waitFor(() => member.assigned().length === 3)
    expect(member.assigned().map(({ kept }) => kept)).toEqual([true, false, false])
  })

  it('is fast: more than 100,000 records a second through one member', async () => {
    const total = 200_000
    const broker = createMemoryBroker({ clock: systemClock, autoCreateTopics: true })
    const producer = await broker.producer()
    const batch = Array.from({ length: 1_000 }, (_, index) => ({ key: `k${index}`, value: Buffer.alloc(200) }))
    const records = batch.map((one) => ({ topic: 'orders', ...one, headers: { ce_id: 'id', ce_type: 'type' } }))
    for (let sent = 0; sent < total; sent += records.length) await producer.send(records)
    let received = 0
    const startMs = performance.now()
    await broker.consumer(
      { group: 'g', topics: ['orders'], startFrom: 'earliest' },
      {
        onAssigned: () => undefined,
        onRebalancing: () => [],
        onBatch: ({ records: delivered, lastOffset }) => {
          received += delivered.length
          return lastOffset + 1
        },
        onCrash: () => undefined,
      },
    )
    await waitFor(() => received === total, { timeoutMs: 2_000, what: `${total} records in 2 s` })
    expect(total / ((performance.now() - startMs) / 1_000)).toBeGreaterThan(100_000)
    await broker.close()
  })
})

/** Two members, a rebalance and some records, told as lines. Timers fire one by one, in order: no real time is involved. */
async function storyOf(): Promise<readonly string[]> {
  const clock = steppingClock()
  const broker = createMemoryBroker({ clock, autoCreateTopics: true, partitions: 4 })
  const lines: string[] = []
  const producer = await broker.producer()
  const join = (name: string): Promise<unknown> => {
    return joinGroup(
      broker,
      { group: 'g', topics: ['orders'] },
      {
        onAssigned: (all) => void lines.push(`${name} has ${all.map((one) => `${one.partition}:${one.kept}`).join()}`),
        onBatch: (batch) => {
          lines.push(`${name} reads ${batch.partition}@${batch.fromOffset}-${batch.lastOffset}`)
          return batch.lastOffset + 1
        },
      },
    )
  }
  await join('one')
  for (let round = 0; round < 20; round += 1) {
    await producer.send([{ topic: 'orders', key: `k${round % 7}`, value: null, headers: {} }])
    if (round === 5) await join('two')
    await clock.step()
  }
  await broker.close()
  return lines
}

function steppingClock(): Clock & { step(): Promise<void> } {
  const timers: { readonly atMs: number; readonly callback: () => void }[] = []
  let nowMs = 1_000
  return {
    nowMs: () => nowMs,
    steadyMs: () => nowMs,
    random: () => 0.5,
    after: (delayMs, callback) => {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.push(timer)
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1))
    },
    step: async () => {
      nowMs += 1
      for (const timer of timers.splice(0).toSorted((a, b) => a.atMs - b.atMs)) {
        if (timer.atMs <= nowMs) timer.callback()
        else timers.push(timer)
      }
      for (let hop = 0; hop < 200; hop += 1) await Promise.resolve()
    },
  }
}
