/** Committed offsets: stored with their metadata, by members only, and read by whoever comes next. */
import { describe, expect, it } from 'vitest'
import { joinGroup } from '../harness/group-member.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'
import type { BrokerBench } from './broker-bench.ts'

export function describeOffsets(bench: BrokerBench): void {
  describe('offsets', () => {
    describeCommits(bench)
    describeRefusals(bench)
    describeSetting(bench)
  })
}

function describeCommits(bench: BrokerBench): void {
  it.each([0, 3_072, 4_096])('keeps %i bytes of metadata', async (bytes) => {
    const topic = await bench.topic()
    const group = uniqueName('g')
    const client = await bench.client()
    await bench.write(topic, 0, 'a', 'b', 'c')
    const metadata = 'm'.repeat(bytes)
    const first = await joinGroup(client, { group, topics: [topic] })
    await waitFor(() => first.records.length === 3, bench.until('3 records'))
    await first.consumer.commit([{ topic, partition: 0, offset: 2, metadata }])
    expect(await client.admin.groupOffsets(group, [topic])).toEqual([{ topic, partition: 0, offset: 2, metadata }])
    await first.consumer.stop()

    const second = await joinGroup(await bench.client(), { group, topics: [topic] })
    await waitFor(() => second.records.length > 0, bench.until('the uncommitted record'))
    expect(second.assigned()).toEqual([
      { topic, partition: 0, committedOffset: 2, metadata, startOffset: 2, kept: false },
    ])
    expect(second.texts()).toEqual(['c'])
  })

  it('leaves out partitions that were never committed', async () => {
    const topic = await bench.topic(3)
    const group = uniqueName('g')
    const client = await bench.client()
    const member = await joinGroup(client, { group, topics: [topic] })
    await waitFor(() => member.assigned().length === 3, bench.until('an assignment'))
    expect(await client.admin.groupOffsets(group, [topic])).toEqual([])
    await member.consumer.commit([{ topic, partition: 1, offset: 0, metadata: 'x' }])
    expect(await client.admin.groupOffsets(group, [topic])).toEqual([{ topic, partition: 1, offset: 0, metadata: 'x' }])
  })

  it('resumes in every partition from what was committed', async () => {
    const topic = await bench.topic(3)
    const group = uniqueName('g')
    for (const partition of [0, 1, 2]) await bench.write(topic, partition, 'a', 'b', 'c', 'd')
    const client = await bench.client()
    const first = await joinGroup(client, { group, topics: [topic] })
    await waitFor(() => first.records.length === 12, bench.until('12 records'))
    await first.consumer.commit(
      [0, 1, 2].map((partition) => ({ topic, partition, offset: partition + 1, metadata: '' })),
    )
    await client.close()
    bench.forget(client)

    const second = await joinGroup(await bench.client(), { group, topics: [topic], startFrom: 'latest' })
    await waitFor(() => second.records.length === 6, bench.until('6 records'))
    expect([second.texts(0), second.texts(1), second.texts(2)]).toEqual([['b', 'c', 'd'], ['c', 'd'], ['d']])
  })
}

function describeRefusals(bench: BrokerBench): void {
  it('refuses 4097 bytes of metadata and keeps the commit before', async () => {
    const topic = await bench.topic()
    const group = uniqueName('g')
    const client = await bench.client()
    const member = await joinGroup(client, { group, topics: [topic] })
    await waitFor(() => member.assigned().length === 1, bench.until('an assignment'))
    await member.consumer.commit([{ topic, partition: 0, offset: 0, metadata: 'good' }])
    const commit = member.consumer.commit([{ topic, partition: 0, offset: 0, metadata: 'm'.repeat(4_097) }])
    await expect(commit).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
    expect(await client.admin.groupOffsets(group, [topic])).toMatchObject([{ metadata: 'good' }])
  })

  it('refuses a commit after stop', async () => {
    const topic = await bench.topic()
    const group = uniqueName('g')
    const client = await bench.client()
    const member = await joinGroup(client, { group, topics: [topic] })
    await waitFor(() => member.assigned().length === 1, bench.until('an assignment'))
    await member.consumer.stop()
    const commit = member.consumer.commit([{ topic, partition: 0, offset: 0, metadata: '' }])
    await expect(commit).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
    expect(await client.admin.groupOffsets(group, [topic])).toEqual([])
  })

  const { expel } = bench.features
  if (expel === undefined) return
  it('refuses the commit of an expelled member, which then joins anew', async () => {
    const topic = await bench.topic()
    const group = uniqueName('g')
    const client = await bench.client()
    await bench.write(topic, 0, 'a')
    const member = await joinGroup(client, { group, topics: [topic] })
    await waitFor(() => member.records.length === 1, bench.until('a record'))
    await expel(client, group)
    const commit = member.consumer.commit([{ topic, partition: 0, offset: 1, metadata: 'late' }])
    await expect(commit).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
    await waitFor(() => member.assignments.length === 2, bench.until('a second assignment'))
    expect(member.assigned()).toMatchObject([{ committedOffset: null, startOffset: 0, kept: false }])
    await member.consumer.commit([{ topic, partition: 0, offset: 1, metadata: 'again' }])
    expect(await client.admin.groupOffsets(group, [topic])).toMatchObject([{ offset: 1, metadata: 'again' }])
  })
}

function describeSetting(bench: BrokerBench): void {
  it('sets offsets of a group without members only', async () => {
    const topic = await bench.topic()
    const group = uniqueName('g')
    const { admin } = await bench.client()
    await bench.write(topic, 0, 'a', 'b', 'c')
    const commits = [{ topic, partition: 0, offset: 1, metadata: '' }]
    await admin.setGroupOffsets(group, commits)
    expect(await admin.groupOffsets(group, [topic])).toEqual(commits)

    const member = await joinGroup(await bench.client(), { group, topics: [topic] })
    await waitFor(() => member.records.length === 2, bench.until('2 records'))
    expect(member.texts()).toEqual(['b', 'c'])
    const moved = [{ topic, partition: 0, offset: 3, metadata: '' }]
    await expect(admin.setGroupOffsets(group, moved)).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })

    await member.consumer.stop()
    await waitFor(async () => (await admin.describeGroup(group)).members === 0, bench.until('an empty group'))
    await admin.setGroupOffsets(group, moved)
    expect(await admin.groupOffsets(group, [topic])).toEqual(moved)
  })
}
