/** Drawings of a small choreography, and the AsyncAPI document about it. */
import { describe, expect, it } from 'vitest'
import { shapesOf, type AgentShape } from '../../../../contracts/agent-shape.ts'
import { createContractSet } from '../../../../contracts/contract-set.ts'
import { drawTopology } from '../../../../runtime/topology/draw-topology.ts'
import { topologyAsyncApi } from '../../../../runtime/topology/topology-asyncapi.ts'
import { topologyMermaid } from '../../../../runtime/topology/topology-mermaid.ts'
import { asyncApiFaults } from '../../../harness/asyncapi.ts'
import { Story } from '../../tracing/story.ts'

const part = { type: 'record', name: 'Part', namespace: 'test.inner', fields: [{ name: 'size', type: 'int' }] } as const
const schema = { type: 'record', name: 'Value', namespace: 'test', fields: [{ name: 'part', type: part }] } as const
const { topics } = createContractSet({
  'a.begun': { schema, entry: true, owner: 'team-a' },
  'a.left': { schema },
  'a.right': { schema, retentionMs: -1, cleanup: 'compact' },
  'a.ended': { schema, end: true },
})

function shape(name: string, listens: readonly string[], says: Partial<AgentShape>): AgentShape {
  return {
    name,
    version: '1.0.0',
    summary: '',
    topics: listens,
    isJoin: false,
    always: [],
    oneOf: [],
    maybe: [],
    ...says,
  }
}

const agents = [
  shape('a.joiner', ['a.left', 'a.right'], { isJoin: true, oneOf: ['a.ended', 'a.begun'] }),
  shape('a.lefty', ['a.begun'], { always: ['a.left'], maybe: ['a.unknown'] }),
  shape('a.righty', ['a.begun'], { always: ['a.right'] }),
]

describe('a topology', () => {
  it('is drawn from the topics that flows begin with, each agent once', () => {
    expect(drawTopology({ agents, topics }).split('\n')).toEqual([
      '● a.begun  entry',
      '├─ a.lefty 1.0.0',
      '│  ├─ ● a.left',
      '│  │  └─ a.joiner 1.0.0  joins it with a.right',
      '│  │     ├─ ◇ a.ended  one of these  end',
      '│  │     └─ ◇ a.begun  one of these  (drawn above)',
      '│  └─ ○ a.unknown  maybe  (no contract here)',
      '└─ a.righty 1.0.0',
      '   └─ ● a.right',
      '      └─ a.joiner 1.0.0  joins it with a.left  (drawn above)',
    ])
  })

  it('is drawn as a flow chart', () => {
    const lines = topologyMermaid({ agents, topics }).split('\n')
    expect(lines[0]).toBe('flowchart LR')
    expect(lines).toContain('  t0(["a.begun"])')
    expect(lines.filter((line) => line.includes('join'))).toHaveLength(3)
    expect(lines.filter((line) => line.includes('one of'))).toHaveLength(2)
  })

  it("marks laban's own agents", () => {
    const own = { agents: [shape('laban.ledger', ['laban.facts'], {})], topics }
    expect(drawTopology(own).split('\n')).toEqual(['● laban.facts', '└─ laban.ledger 1.0.0  platform'])
    expect(topologyMermaid(own)).toContain('a0[/"laban.ledger, platform"/]')
  })

  it('comes from manifests, the newest of each agent', () => {
    const { manifests } = new Story('announced').agent('b.two', ['a.left', 'a.right'], true).agent('b.one', ['a.begun'])
    const older = manifests.map((manifest) => ({ ...manifest, version: '0.1.0', startedAtMs: 0 }))
    const shapes = shapesOf([...older, ...manifests, ...older])
    expect(shapes.map(({ name, version, isJoin }) => [name, version, isJoin])).toEqual([
      ['b.one', '1.0.0', false],
      ['b.two', '1.0.0', true],
    ])
  })
})

describe('the AsyncAPI document', () => {
  const document = topologyAsyncApi({ agents, topics }, { title: 'Trial', version: '2.0.0', namespace: 'stage' }) as {
    channels: Record<string, { address: string; bindings: { kafka: object } }>
    operations: Record<string, { action: string; bindings?: { kafka: { groupId: { enum: string[] } } } }>
    components: { messages: Record<string, { payload?: { schema: object } }> }
  }

  it('is what the specification allows, and its references lead somewhere', () => {
    expect(asyncApiFaults(document)).toEqual([])
  })

  it('has a channel for each topic with the limits of its contract', () => {
    expect(Object.keys(document.channels).sort()).toEqual(['a.begun', 'a.ended', 'a.left', 'a.right', 'a.unknown'])
    expect(document.channels['a.begun']).toMatchObject({
      address: 'stage.a.begun',
      description: 'Owner: team-a',
      bindings: {
        kafka: { topic: 'stage.a.begun', partitions: 6, topicConfiguration: { 'retention.ms': 604_800_000 } },
      },
    })
    expect(document.channels['a.right']).toMatchObject({
      bindings: { kafka: { topicConfiguration: { 'cleanup.policy': ['compact'] } } },
    })
  })

  it('has an operation for each agent and topic, with the consumer group', () => {
    expect(Object.keys(document.operations)).toHaveLength(9)
    expect(document.operations['a.joiner receives a.left']).toMatchObject({
      action: 'receive',
      channel: { $ref: '#/channels/a.left' },
      bindings: { kafka: { groupId: { enum: ['stage.a.joiner'] } } },
    })
    expect(document.operations['a.lefty sends a.unknown']).toMatchObject({ action: 'send' })
  })

  it('has messages in Avro, names and namespaces apart', () => {
    expect(document.components.messages['a.left']?.payload?.schema).toMatchObject({
      name: 'Value',
      namespace: 'test',
      fields: [{ name: 'part', type: { name: 'Part', namespace: 'test.inner' } }],
    })
    expect(document.components.messages['a.unknown']).not.toHaveProperty('payload')
  })
})
