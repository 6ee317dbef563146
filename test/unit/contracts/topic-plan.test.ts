import { describe, expect, it } from 'vitest'
import { agentTopicSettings, type TopicSettings } from '../../../contracts/agent-topics.ts'
import { createContractSet } from '../../../contracts/contract-set.ts'
import { isPlanEmpty, plannedTopic, planTopics } from '../../../contracts/topic-plan.ts'

const DAY_MS = 86_400_000
const wanted: TopicSettings = {
  name: 'shop.order-placed',
  partitions: 6,
  replication: 3,
  minInsyncReplicas: 2,
  retentionMs: 7 * DAY_MS,
  maxRecordBytes: 2_000_000,
  cleanup: 'delete',
}
const actual = plannedTopic(wanted)
const facts = { ...wanted, name: 'laban.facts', retentionMs: 30 * DAY_MS }

describe('planTopics', () => {
  it('creates what is missing, with the settings of the contract', () => {
    const plan = planTopics([wanted], [])
    expect(plan.create).toEqual([
      {
        topic: 'shop.order-placed',
        partitions: 6,
        replication: 3,
        config: {
          'cleanup.policy': 'delete',
          'retention.ms': '604800000',
          'min.insync.replicas': '2',
          'max.message.bytes': '2000128',
        },
      },
    ])
    expect(isPlanEmpty(plan)).toBe(false)
  })

  it('has nothing to do when all fits, whatever else is on the broker', () => {
    const other = { ...actual, topic: 'somebody.elses' }
    const more = { ...actual, config: { ...actual.config, 'segment.bytes': '1' } }
    expect(isPlanEmpty(planTopics([wanted], [more, other]))).toBe(true)
  })

  it('never limits a batch to less than Kafka does by itself', () => {
    expect(plannedTopic({ ...wanted, maxRecordBytes: 2_000 }).config['max.message.bytes']).toBe('1048588')
  })

  it('shows changed settings and warns of those that delete records', () => {
    const longer = { ...actual, config: { ...actual.config, 'retention.ms': '-1', 'min.insync.replicas': '1' } }
    expect(planTopics([wanted], [longer]).configure).toEqual([
      {
        topic: 'shop.order-placed',
        changes: [
          { key: 'retention.ms', from: '-1', to: '604800000' },
          { key: 'min.insync.replicas', from: '1', to: '2' },
        ],
        warning: 'records older than the new retention are deleted',
      },
    ])
    const shorter = { ...actual, config: { ...actual.config, 'retention.ms': '1000' } }
    expect(planTopics([wanted], [shorter]).configure[0]?.warning).toBe('')
  })

  it('warns that more partitions break the order of keys', () => {
    const plan = planTopics([wanted], [{ ...actual, partitions: 3 }])
    expect(plan.addPartitions).toMatchObject([{ topic: 'shop.order-placed', from: 3, to: 6 }])
    expect(plan.addPartitions[0]?.warning).toContain('out of order')
  })

  it('says for whom a topic must be empty before it grows', () => {
    const readers = (topic: string): string[] => (topic === wanted.name ? ['shop.packer'] : [])
    const plan = planTopics([wanted], [{ ...actual, partitions: 3 }], readers)
    expect(plan.addPartitions).toMatchObject([{ topic: wanted.name, inOrderFor: ['shop.packer'] }])
    expect(planTopics([wanted], [{ ...actual, partitions: 3 }]).addPartitions[0]?.inOrderFor).toEqual([])
  })

  it('adds no partitions to a compacted topic: the newest record of a key would be on two', () => {
    const compacted = { ...wanted, cleanup: 'compact' as const }
    const plan = planTopics([compacted], [{ ...plannedTopic(compacted), partitions: 3 }])
    expect(plan.addPartitions).toEqual([])
    expect(plan.differences).toMatchObject([{ topic: wanted.name }])
    expect(plan.differences[0]?.problem).toContain('compacted')
  })

  it('only reports what cannot be changed here', () => {
    const plan = planTopics([wanted], [{ ...actual, partitions: 12, replication: 1 }])
    expect(plan.differences.map(({ problem }) => problem)).toEqual([
      'has 12 partitions, the contract says 6; Kafka cannot remove any',
      'has replication 1, the contract says 3; reassign its partitions',
    ])
    expect(isPlanEmpty(plan)).toBe(true)
  })

  it.each([
    ['kept shorter than an event', { ...facts, retentionMs: 6 * DAY_MS }],
    ['compacted', { ...facts, cleanup: 'compact' as const }],
  ])('refuses facts that are %s', (_what, settings) => {
    expect(planTopics([wanted, facts], []).refusals).toEqual([])
    expect(planTopics([wanted, settings], []).refusals).toMatchObject([{ topic: 'laban.facts' }])
  })

  it('refuses facts that end when events are kept for ever', () => {
    expect(planTopics([{ ...wanted, retentionMs: -1 }, facts], []).refusals).toHaveLength(1)
    expect(
      planTopics(
        [
          { ...wanted, retentionMs: -1 },
          { ...facts, retentionMs: -1 },
        ],
        [],
      ).refusals,
    ).toEqual([])
  })
})

describe('agentTopicSettings', () => {
  const schema = { type: 'record', name: 'a.A', fields: [] }
  const contracts = createContractSet({
    'a.small': { schema, partitions: 2, maxRecordBytes: 10_000 },
    'a.large': { schema, partitions: 12, maxRecordBytes: 500_000, retentionMs: 90 * DAY_MS },
  })

  it('follows the largest of what the agent consumes', () => {
    const settings = agentTopicSettings({ name: 'a.agent', topics: ['a.small', 'a.large'] }, contracts)
    expect(settings.map(({ name }) => name)).toEqual([
      'a.agent.dead-letter',
      'a.agent.waiting',
      'a.agent.journal',
      'a.agent.parked',
      'a.agent.timers',
      'a.agent.retry.redrive',
    ])
    for (const topic of settings) {
      expect(topic).toMatchObject({
        partitions: 12,
        retentionMs: 90 * DAY_MS,
        maxRecordBytes: topic.name === 'a.agent.journal' ? 16 * 1024 * 1024 : 565_536,
        cleanup: ['a.agent.parked', 'a.agent.timers'].includes(topic.name) ? 'compact' : 'delete',
      })
    }
  })

  it('keeps dead letters for 30 days at least', () => {
    const [deadLetter] = agentTopicSettings({ name: 'a.agent', topics: ['a.small'] }, contracts)
    expect(deadLetter).toMatchObject({ partitions: 2, retentionMs: 30 * DAY_MS, maxRecordBytes: 75_536 })
  })
})
