/** Several members of one group: they share the partitions, one generation after the other. */
import { describe, expect, it } from 'vitest'
import type { OffsetCommit } from '../../runtime/ports/broker.ts'
import { joinGroup, type GroupMember } from '../harness/group-member.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'
import type { BrokerBench } from './broker-bench.ts'

export function describeGroups(bench: BrokerBench): void {
  describe('groups', () => {
    describeSharing(bench)
    describeRebalance(bench)
    describeCrash(bench)
  })
}

function describeSharing(bench: BrokerBench): void {
  it('shares the partitions of a topic, each with exactly one member', async () => {
    const topic = await bench.topic(4)
    const group = uniqueName('g')
    const client = await bench.client()
    const [first, second] = await joinTwo(bench, group, topic)
    expect([...partitionsOf(first), ...partitionsOf(second)].toSorted()).toEqual([0, 1, 2, 3])
    expect(await client.admin.describeGroup(group)).toEqual({ group, state: 'Stable', members: 2 })
    for (const partition of [0, 1, 2, 3]) await bench.write(topic, partition, `p${partition}`)
    await waitFor(() => first.records.length + second.records.length === 4, bench.until('4 records'))
    for (const member of [first, second]) {
      expect(member.texts().toSorted()).toEqual(partitionsOf(member).map((partition) => `p${partition}`))
    }
  })

  it('gives the partitions of a member that leaves to those that stay', async () => {
    const topic = await bench.topic(4)
    const group = uniqueName('g')
    const [first, second] = await joinTwo(bench, group, topic)
    const kept = partitionsOf(first)
    await second.consumer.stop()
    await waitFor(() => first.assigned().length === 4, bench.until('all partitions'))
    for (const { partition, kept: isKept } of first.assigned()) {
      expect(isKept, `partition ${partition}`).toBe(kept.includes(partition))
    }
  })

  it('keeps groups apart', async () => {
    const topic = await bench.topic()
    await bench.write(topic, 0, 'a')
    const members = await Promise.all(
      ['one', 'two'].map(async (name) => {
        return await joinGroup(await bench.client(), { group: uniqueName(name), topics: [topic] })
      }),
    )
    await waitFor(() => members.every((member) => member.records.length === 1), bench.until('a record for each group'))
  })

  it('knows no group that never was', async () => {
    const group = uniqueName('g')
    const { admin } = await bench.client()
    expect(await admin.describeGroup(group)).toEqual({ group, state: 'Dead', members: 0 })
  })
}

function describeRebalance(bench: BrokerBench): void {
  it('says that a partition was kept only from one generation to the next, and goes on in it without delivering again', async () => {
    const topic = await bench.topic(2)
    const group = uniqueName('g')
    for (const partition of [0, 1]) await bench.write(topic, partition, 'a', 'b')
    const first = await joinGroup(await bench.client(), { group, topics: [topic] })
    await waitFor(() => first.records.length === 4, bench.until('4 records'))
    expect(first.assigned().map(({ kept }) => kept)).toEqual([false, false])

    const second = await joinGroup(await bench.client(), { group, topics: [topic] })
    await waitFor(() => isShared(first, second, 2), bench.until('a shared topic'))
    expect(first.assigned()).toMatchObject([{ kept: true, committedOffset: null, startOffset: 2 }])
    expect(second.assigned()).toMatchObject([{ kept: false, committedOffset: null, startOffset: 0 }])
    const [mine] = partitionsOf(first)
    await bench.write(topic, mine ?? -1, 'c')
    await waitFor(() => first.texts(mine).length === 3, bench.until('a new record'))
    expect(first.texts(mine)).toEqual(['a', 'b', 'c'])
  })

  it('commits the answer of onRebalancing before the next generation reads', async () => {
    const topic = await bench.topic(2)
    const group = uniqueName('g')
    for (const partition of [0, 1]) await bench.write(topic, partition, 'a', 'b', 'c')
    const behaviour = {
      onRebalancing: (member: GroupMember): readonly OffsetCommit[] => {
        return member.assigned().map(({ partition }) => ({ topic, partition, offset: 2, metadata: `p${partition}` }))
      },
    }
    const first = await joinGroup(await bench.client(), { group, topics: [topic] }, behaviour)
    await waitFor(() => first.records.length === 6, bench.until('6 records'))
    const second = await joinGroup(await bench.client(), { group, topics: [topic] })
    await waitFor(() => isShared(first, second, 2), bench.until('a shared topic'))
    const [theirs] = second.assigned()
    expect(theirs).toMatchObject({ committedOffset: 2, metadata: `p${theirs?.partition}`, startOffset: 2 })
    await waitFor(() => second.records.length === 1, bench.until('the uncommitted record'))
    expect(second.texts()).toEqual(['c'])
  })

  it('refuses the commit of a partition that another member holds', async () => {
    const topic = await bench.topic(2)
    const group = uniqueName('g')
    const [first, second] = await joinTwo(bench, group, topic)
    const [foreign] = partitionsOf(second)
    const commit = first.consumer.commit([{ topic, partition: foreign ?? -1, offset: 0, metadata: '' }])
    await expect(commit).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
  })

  it('keeps a pause over a rebalance for a partition that is kept', async () => {
    const topic = await bench.topic(2)
    const group = uniqueName('g')
    const first = await joinGroup(await bench.client(), { group, topics: [topic] })
    await waitFor(() => first.assigned().length === 2, bench.until('an assignment'))
    first.consumer.pause([0, 1].map((partition) => ({ topic, partition })))
    const second = await joinGroup(await bench.client(), { group, topics: [topic] })
    await waitFor(() => isShared(first, second, 2), bench.until('a shared topic'))
    for (const partition of [0, 1]) await bench.write(topic, partition, `p${partition}`)
    await waitFor(() => second.records.length === 1, bench.until('the record of the other member'))
    expect(first.records).toEqual([])
    first.consumer.resume([0, 1].map((partition) => ({ topic, partition })))
    await waitFor(() => first.records.length === 1, bench.until('the record after the pause'))
  })
}

function describeCrash(bench: BrokerBench): void {
  const { crash } = bench.features
  if (crash === undefined) return
  it('gives the partitions of a dead member to others when its session has timed out', async () => {
    const topic = await bench.topic(2)
    const group = uniqueName('g')
    await bench.write(topic, 0, 'a')
    const dying = await bench.client()
    const first = await joinGroup(dying, { group, topics: [topic], sessionTimeoutMs: 6_000 })
    await waitFor(() => first.records.length === 1, bench.until('a record'))
    await crash(dying)
    bench.forget(dying)
    const second = await joinGroup(await bench.client(), { group, topics: [topic], sessionTimeoutMs: 6_000 })
    await bench.letPass(6_000)
    await waitFor(() => second.assigned().length === 2, bench.until('the dead member’s partitions'))
    await waitFor(() => second.records.length === 1, bench.until('its uncommitted record'))
    expect(second.assigned().map(({ kept }) => kept)).toEqual([false, false])
    await bench.write(topic, 1, 'b')
    await waitFor(() => second.records.length === 2, bench.until('a new record'))
    expect(first.records).toHaveLength(1)
  })
}

async function joinTwo(bench: BrokerBench, group: string, topic: string): Promise<readonly [GroupMember, GroupMember]> {
  const first = await joinGroup(await bench.client(), { group, topics: [topic] })
  await waitFor(() => first.assigned().length > 0, bench.until('the first assignment'))
  const total = first.assigned().length
  const second = await joinGroup(await bench.client(), { group, topics: [topic] })
  await waitFor(() => isShared(first, second, total), bench.until('a shared topic'))
  return [first, second]
}

function isShared(first: GroupMember, second: GroupMember, total: number): boolean {
  return first.assigned().length === total / 2 && second.assigned().length === total / 2
}

function partitionsOf(member: GroupMember): readonly number[] {
  return member
    .assigned()
    .map(({ partition }) => partition)
    .toSorted()
}
