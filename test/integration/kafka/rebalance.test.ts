/** What a rebalance costs: nothing delivered twice, as long as members answer; commits of the past are refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OffsetCommit } from '../../../runtime/ports/broker.ts'
import { joinGroup, type GroupMember, type MemberBehaviour } from '../../harness/group-member.ts'
import type { CuttableClient } from '../../harness/kafka-client.ts'
import { expelMembers } from '../../harness/kafka-expel.ts'
import { API, startKafkaProxy } from '../../harness/kafka-proxy.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import { brokers, closeAll, names, newClient, newProducer, newTopic, textsFor } from './harness.ts'

const PARTITIONS = 6

describe('rebalance', () => {
  let client: CuttableClient
  beforeAll(async () => {
    client = await newClient()
  })
  afterAll(closeAll)

  it('delivers every record once while members come and go, because last commits land before the next generation', async () => {
    const topic = await newTopic(client, PARTITIONS)
    const group = uniqueName('g')
    const producer = newProducer()
    let sent = 0
    const sendSome = async (): Promise<void> => {
      const records = Array.from({ length: 300 }, (_, index) => textsFor(topic, index % PARTITIONS, `${sent + index}`))
      await producer.send(records.flat())
      sent += 300
    }
    const members: GroupMember[] = []
    const join = async (): Promise<GroupMember> => {
      const member = await joinGroup((await newClient()).broker, { group, topics: [topic] }, committing(topic))
      members.push(member)
      return member
    }
    const delivered = (): readonly string[] => members.flatMap((member) => member.texts())
    const settle = (count: number): Promise<unknown> =>
      waitFor(() => members.filter((member) => member.assigned().length > 0).length >= count, {
        timeoutMs: 30_000,
        what: `${count} members with partitions`,
      })
    await sendSome()
    await join()
    await settle(1)
    await sendSome()
    const second = await join()
    await sendSome()
    await settle(2)
    await join()
    await sendSome()
    await settle(3)
    await second.consumer.commit(positionsOf(second, topic))
    await second.consumer.stop()
    await sendSome()
    await waitFor(() => new Set(delivered()).size === sent, { timeoutMs: 30_000, what: `${sent} records` })
    expect(delivered().length - sent, 'records delivered twice').toBe(0)
  })

  it('sends the last commit before it joins again', async () => {
    const proxy = await startKafkaProxy(brokers[0] ?? '')
    const topic = await newTopic(client, 2)
    const group = uniqueName('g')
    await newProducer().send([...textsFor(topic, 0, 'a'), ...textsFor(topic, 1, 'b')])
    const watched = await newClient(proxy.port)
    const first = await joinGroup(watched.broker, { group, topics: [topic] }, committing(topic))
    await waitFor(() => first.records.length === 2, { timeoutMs: 20_000, what: '2 records' })
    const from = proxy.log.length
    const second = await joinGroup(client.broker, { group, topics: [topic] })
    await waitFor(() => first.assignments.length >= 2 && second.assigned().length === 1, { timeoutMs: 20_000 })
    const sequence = proxy.log.slice(from).filter((key) => key === API.offsetCommit || key === API.joinGroup)
    expect(sequence.slice(0, 2)).toEqual([API.offsetCommit, API.joinGroup])
    expect(second.records, 'all was committed').toEqual([])
    await watched.broker.close()
    await proxy.close()
  })

  it('fetches nothing again in partitions that are kept, committed or not', async () => {
    const topic = await newTopic(client, 4)
    const group = uniqueName('g')
    const producer = newProducer()
    const all = [0, 1, 2, 3]
    await producer.send(all.flatMap((partition) => textsFor(topic, partition, 'a', 'b', 'c')))
    const first = await joinGroup((await newClient()).broker, { group, topics: [topic] })
    await waitFor(() => first.records.length === 12, { timeoutMs: 20_000, what: '12 records' })
    const second = await joinGroup((await newClient()).broker, { group, topics: [topic] })
    await waitFor(() => first.assigned().length === 2 && second.records.length === 6, { timeoutMs: 20_000 })
    await second.consumer.stop()
    await waitFor(() => first.assigned().length === 4, { timeoutMs: 20_000, what: 'all partitions again' })
    await producer.send(all.flatMap((partition) => textsFor(topic, partition, 'd')))
    const kept = first.assignments[1]?.map(({ partition }) => partition) ?? []
    await waitFor(() => all.every((partition) => first.texts(partition).at(-1) === 'd'), { timeoutMs: 20_000 })
    for (const partition of all) {
      const expected = kept.includes(partition) ? ['a', 'b', 'c', 'd'] : ['a', 'b', 'c', 'a', 'b', 'c', 'd']
      expect(first.texts(partition), `partition ${partition}`).toEqual(expected)
    }
  })

  it('is refused a commit in the name of a membership that has ended', async () => {
    const topic = await newTopic(client, 1)
    const group = uniqueName('g')
    await newProducer().send(textsFor(topic, 0, 'a', 'b'))
    const member = await joinGroup((await newClient()).broker, { group, topics: [topic] })
    await waitFor(() => member.records.length === 2, { timeoutMs: 20_000, what: '2 records' })
    await expelMembers(brokers, names.group(group))
    const late = member.consumer.commit([{ topic, partition: 0, offset: 2, metadata: 'late' }])
    await expect(late).rejects.toMatchObject({
      code: 'LABAN_BROKER_REFUSED',
      details: {
        operation: 'commit',
        problem: expect.stringMatching(/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION/) as string,
      },
    })
    expect(await client.broker.admin.groupOffsets(group, [topic])).toEqual([])
  })

  it('moves no more partitions than a newcomer is owed', async () => {
    const topic = await newTopic(client, 12)
    const group = uniqueName('g')
    const members: GroupMember[] = []
    for (const share of [12, 6, 4, 3]) {
      const before = members.map((member) => new Set(member.assigned().map(({ partition }) => partition)))
      members.push(await joinGroup((await newClient()).broker, { group, topics: [topic] }))
      await waitFor(() => members.every((member) => member.assigned().length === share), { timeoutMs: 30_000 })
      for (const [index, owned] of before.entries()) {
        const gained = members[index]?.assigned().filter(({ partition }) => !owned.has(partition))
        expect(gained, `member ${index} of ${members.length}`).toEqual([])
      }
    }
  })
})

/** Finishes every record at once and commits only when a generation ends. */
function committing(topic: string): MemberBehaviour {
  return { onRebalancing: (member) => positionsOf(member, topic) }
}

function positionsOf(member: GroupMember, topic: string): readonly OffsetCommit[] {
  return member.assigned().map(({ partition, startOffset }) => {
    const last = member.records.findLast((record) => record.partition === partition)
    return { topic, partition, offset: Math.max(startOffset, (last?.offset ?? -1) + 1), metadata: '' }
  })
}
