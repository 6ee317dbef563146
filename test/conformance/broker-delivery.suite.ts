/** Delivery to one member: where it begins, what it accepts, pause and gaps. */
import { describe, expect, it } from 'vitest'
import { joinGroup } from '../harness/group-member.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'
import { writeAroundATime } from './broker-admin.suite.ts'
import type { BrokerBench } from './broker-bench.ts'

export function describeDelivery(bench: BrokerBench): void {
  describe('delivery', () => {
    describeStart(bench)
    describeAcceptance(bench)
    describePause(bench)
  })
}

function describeStart(bench: BrokerBench): void {
  it('begins at the earliest record', async () => {
    const topic = await bench.topic(2)
    await bench.write(topic, 0, 'a', 'b')
    await bench.write(topic, 1, 'c')
    const member = await joinGroup(await bench.client(), { group: uniqueName('g'), topics: [topic] })
    await waitFor(() => member.records.length === 3, bench.until('3 records'))
    expect([member.texts(0), member.texts(1)]).toEqual([['a', 'b'], ['c']])
    expect(member.assigned()).toHaveLength(2)
    expect(member.assigned()[0]).toMatchObject({ committedOffset: null, metadata: '', startOffset: 0, kept: false })
  })

  it('begins at the latest record', async () => {
    const topic = await bench.topic()
    await bench.write(topic, 0, 'old')
    const member = await joinGroup(await bench.client(), {
      group: uniqueName('g'),
      topics: [topic],
      startFrom: 'latest',
    })
    await waitFor(() => member.assigned().length === 1, bench.until('an assignment'))
    expect(member.assigned()[0]).toMatchObject({ committedOffset: null, startOffset: 1 })
    await bench.write(topic, 0, 'new')
    await waitFor(() => member.records.length > 0, bench.until('a record'))
    expect(member.texts()).toEqual(['new'])
  })

  it('begins at a time', async () => {
    const topic = await bench.topic()
    const atMs = await writeAroundATime(bench, topic)
    const options = { group: uniqueName('g'), topics: [topic], startFrom: { atMs } }
    const member = await joinGroup(await bench.client(), options)
    await waitFor(() => member.records.length > 0, bench.until('a record'))
    expect(member.texts()).toEqual(['new'])
    expect(member.assigned()[0]?.startOffset).toBe(2)
  })

  it('reads a partition that was added from its start, whatever the group began with, and says that it was added', async () => {
    const topic = await bench.topic()
    await bench.write(topic, 0, 'old')
    const client = await bench.client()
    const member = await joinGroup(client, { group: uniqueName('g'), topics: [topic], startFrom: 'latest' })
    await waitFor(() => member.assigned().length === 1, bench.until('an assignment'))
    await member.consumer.commit([{ topic, partition: 0, offset: 1, metadata: '' }])
    await client.admin.addPartitions(topic, 2)
    await waitFor(async () => (await bench.write(topic, 1, 'new'))[0]?.partition === 1, bench.until('a write'))
    await waitFor(() => member.records.length > 0, bench.until('a record'))
    expect(member.texts(1)).toContain('new')
    expect(member.assigned()).toMatchObject([
      { partition: 0, kept: true },
      { partition: 1, startOffset: 0, committedOffset: null, added: true },
    ])
    expect(member.assigned()[0]).not.toHaveProperty('added')
  })

  it('refuses to consume a topic that does not exist', async () => {
    const topic = `${await bench.topic()}-missing`
    const joining = joinGroup(await bench.client(), { group: uniqueName('g'), topics: [topic] })
    await expect(joining).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED', details: { topic } })
  })

  it('delivers nothing before onAssigned has settled', async () => {
    const topic = await bench.topic()
    await bench.write(topic, 0, 'a')
    const gate = Promise.withResolvers<void>()
    let opened = false
    const delivered: boolean[] = []
    const options = { group: uniqueName('g'), topics: [topic] }
    const member = await joinGroup(await bench.client(), options, {
      onAssigned: () => gate.promise,
      onBatch: (batch) => {
        delivered.push(opened)
        return batch.lastOffset + 1
      },
    })
    await waitFor(() => member.assignments.length === 1, bench.until('an assignment'))
    // Another member of another group has had the record meanwhile: this one could have had it too.
    const other = await joinGroup(await bench.client(), { group: uniqueName('g'), topics: [topic] })
    await waitFor(() => other.records.length === 1, bench.until('delivery to the other group'))
    opened = true
    gate.resolve()
    await waitFor(() => member.records.length === 1, bench.until('delivery'))
    expect(delivered).toEqual([true])
  })

  const { trim } = bench.features
  if (trim === undefined) return
  it('shows a gap when the log start has moved above the committed offset', async () => {
    const topic = await bench.topic()
    const group = uniqueName('g')
    await bench.write(topic, 0, 'a', 'b', 'c', 'd', 'e', 'f')
    const { admin } = await bench.client()
    await admin.setGroupOffsets(group, [{ topic, partition: 0, offset: 2, metadata: '' }])
    await trim(topic, 0, 4)
    await waitFor(async () => (await admin.offsets(topic))[0]?.startOffset === 4, bench.until('the moved start'))
    const member = await joinGroup(await bench.client(), { group, topics: [topic], startFrom: 'latest' })
    await waitFor(() => member.records.length === 2, bench.until('2 records'))
    expect(member.texts()).toEqual(['e', 'f'])
    expect(member.assigned()[0]?.committedOffset).toBe(2)
    expect(member.records[0]?.offset).toBe(4)
    expect(member.batches[0]?.fromOffset).toBeLessThanOrEqual(4)
  })
}

function describeAcceptance(bench: BrokerBench): void {
  it('delivers again from the offset that onBatch answered', async () => {
    const topic = await bench.topic()
    await bench.write(topic, 0, 'a', 'b', 'c', 'd', 'e')
    const firstOffsets: number[] = []
    const member = await joinGroup(
      await bench.client(),
      { group: uniqueName('g'), topics: [topic] },
      {
        // Two at a time, whatever the batch holds.
        onBatch: (batch) => {
          firstOffsets.push(batch.records[0]?.offset ?? -1)
          return Math.min(batch.fromOffset + 2, batch.lastOffset + 1)
        },
      },
    )
    await waitFor(() => member.records.length >= 5, bench.until('5 records'))
    expect(member.texts()).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(firstOffsets).toEqual([0, 2, 4])
  })

  it('offers a batch again that was not accepted at all', async () => {
    const topic = await bench.topic()
    await bench.write(topic, 0, 'a', 'b')
    let refusals = 0
    const member = await joinGroup(
      await bench.client(),
      { group: uniqueName('g'), topics: [topic] },
      { onBatch: (batch) => ((refusals += 1) <= 2 ? batch.fromOffset : batch.lastOffset + 1) },
    )
    await waitFor(() => member.records.length === 2, bench.until('2 records'))
    expect(member.texts()).toEqual(['a', 'b'])
  })

  it('covers all offsets in batches that say where they end', async () => {
    const topic = await bench.topic()
    const values = Array.from({ length: 3_000 }, (_, index) => `${index}`)
    await bench.write(topic, 0, ...values)
    const member = await joinGroup(await bench.client(), { group: uniqueName('g'), topics: [topic] })
    await waitFor(() => member.records.length === 3_000, bench.until('3000 records'))
    expect(member.texts()).toEqual(values)
    let next = 0
    for (const batch of member.batches) {
      expect(batch.fromOffset).toBe(next)
      expect(batch.lastOffset).toBeGreaterThanOrEqual(batch.records.at(-1)?.offset ?? 0)
      expect(batch.endOffset).toBe(3_000)
      next = batch.lastOffset + 1
    }
  })
}

function describePause(bench: BrokerBench): void {
  it('delivers nothing of a paused partition, keeps the membership, and loses nothing', async () => {
    const topic = await bench.topic(2)
    const group = uniqueName('g')
    const client = await bench.client()
    const member = await joinGroup(client, { group, topics: [topic] })
    await waitFor(() => member.assigned().length === 2, bench.until('an assignment'))
    member.consumer.pause([{ topic, partition: 0 }])
    member.consumer.pause([{ topic, partition: 0 }])
    await bench.write(topic, 0, 'a', 'b')
    await bench.write(topic, 1, 'x')
    await waitFor(() => member.texts(1).length === 1, bench.until('the other partition'))
    expect(member.texts(0)).toEqual([])
    member.consumer.resume([{ topic, partition: 0 }])
    await waitFor(() => member.texts(0).length === 2, bench.until('the paused partition'))
    expect(member.texts(0)).toEqual(['a', 'b'])
    expect(member.assignments).toHaveLength(1)
    expect(await client.admin.describeGroup(group)).toEqual({ group, state: 'Stable', members: 1 })
  })

  it('keeps the membership longer than a session while everything is paused', async () => {
    const topic = await bench.topic()
    const group = uniqueName('g')
    const client = await bench.client()
    const member = await joinGroup(client, { group, topics: [topic], sessionTimeoutMs: 6_000 })
    await waitFor(() => member.assigned().length === 1, bench.until('an assignment'))
    member.consumer.pause([{ topic, partition: 0 }])
    await bench.write(topic, 0, 'a')
    await bench.letPass(7_000)
    member.consumer.resume([{ topic, partition: 0 }])
    await waitFor(() => member.records.length === 1, bench.until('the record'))
    expect(member.assignments).toHaveLength(1)
    expect(member.crashes).toEqual([])
  })

  it('can be paused from inside onBatch', async () => {
    const topic = await bench.topic()
    await bench.write(topic, 0, 'a', 'b', 'c')
    const member = await joinGroup(
      await bench.client(),
      { group: uniqueName('g'), topics: [topic] },
      {
        onBatch: (batch, self) => {
          if (batch.fromOffset > 0) return batch.lastOffset + 1
          self.consumer.pause([batch])
          return 1
        },
      },
    )
    await waitFor(() => member.records.length === 1, bench.until('the accepted record'))
    member.consumer.resume([{ topic, partition: 0 }])
    await waitFor(() => member.records.length === 3, bench.until('the rest'))
    expect(member.texts()).toEqual(['a', 'b', 'c'])
  })
}
