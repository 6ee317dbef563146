/** Flows by groups: the numbers, who is named first, pages, and that 100,000 events stay quick. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { FlowGraph } from '../../../tracing/flow-graph.ts'
import type { EventGroup, HandlingGroup } from '../../../tracing/flow-groups.ts'
import { FlowGroups } from '../../../tracing/group-flow.ts'
import { reconstructFlow } from '../../../tracing/reconstruct.ts'
import { chain, crowdedJoin, fanOut } from './large-flows.ts'
import * as stories from './stories.ts'
import { EPOCH_MS, type Story } from './story.ts'

function handlingGroup({ overview }: FlowGroups, agent: string): HandlingGroup {
  const found = overview.groups.filter((group) => group.kind === 'handlings').filter((group) => group.agent === agent)
  expect(found).toHaveLength(1)
  return found[0] as HandlingGroup
}

function eventGroup({ overview }: FlowGroups, topic: string): EventGroup {
  const found = overview.groups.filter((group) => group.kind === 'events').filter((group) => group.topic === topic)
  expect(found).toHaveLength(1)
  return found[0] as EventGroup
}

describe('a wide flow by groups', () => {
  const groups = new FlowGroups(stories.wide().graph())

  it('is a few groups in causal order with the arrows between them', () => {
    expect(groups.overview).toMatchObject({ events: 599, handlings: 301, status: 'failed' })
    expect(groups.overview.groups.map((group) => (group.kind === 'events' ? group.topic : group.agent))).toEqual([
      'batch.received',
      'batch.splitter',
      'batch.task',
      'batch.worker',
      'batch.result',
    ])
    const counts = groups.overview.links.map(({ from, to, kind, count }) => `${from} -${kind} ${count}-> ${to}`)
    expect(counts.sort()).toEqual([
      'agent batch.splitter of batch.received -published 300-> event batch.task from batch.splitter',
      'agent batch.worker of batch.task -published 298-> event batch.result from batch.worker',
      'event batch.received from loans.csv -consumed 1-> agent batch.splitter of batch.received',
      'event batch.task from batch.splitter -consumed 300-> agent batch.worker of batch.task',
    ])
  })

  it('counts by status, and names what failed and what was slowest', () => {
    const worker = handlingGroup(groups, 'batch.worker')
    expect(worker).toMatchObject({ count: 300, topics: ['batch.task'], deadLetters: 2, attempts: 300, isJoin: false })
    expect(worker.statuses).toEqual({ completed: 298, failed: 2, pending: 0, processing: 0, stuck: 0, waiting: 0 })
    expect(worker.errors).toEqual([{ code: 'LABAN_HANDLER_REJECTED', count: 2 }])
    expect(worker.attention.map(({ status }) => status)).toEqual(['failed', 'failed'])
    expect(worker.worked).toEqual({ leastMs: 10, medianMs: 159.5, mostMs: 309, totalMs: 47_850 })
    expect(worker.slowest).toMatchObject({ workedMs: 309, status: 'completed' })
    expect(worker).toMatchObject({ startedAtMs: EPOCH_MS + 10, endedAtMs: EPOCH_MS + 618, leastHop: 1, mostHop: 1 })
  })

  it('opens a group page by page, what needs a look first, then the longest', () => {
    const id = handlingGroup(groups, 'batch.worker').id
    const first = groups.page(id, { limit: 4 })
    expect(first).toMatchObject({ total: 300, offset: 0, kind: 'handlings' })
    expect(first?.members.map((member) => ('status' in member ? member.workedMs : undefined))).toEqual([
      167, 17, 309, 308,
    ])
    const rest = groups.page(id, { offset: 298, limit: 50 })
    expect(rest?.members).toHaveLength(2)
    const tasks = groups.page(eventGroup(groups, 'batch.task').id, { limit: 1 })
    expect(tasks).toMatchObject({ kind: 'events', total: 300 })
    expect(groups.page('agent nobody of nothing')).toBeUndefined()
  })

  it('says which group a member is in', () => {
    const { handlings, events } = stories.wide().graph()
    expect(groups.groupOf(handlings[5]?.key ?? '')).toBe('agent batch.worker of batch.task')
    expect(groups.groupOf(events[0]?.id ?? '')).toBe('event batch.received from loans.csv')
    expect(groups.groupOf('nobody')).toBeUndefined()
  })
})

describe('what groups tell besides', () => {
  it('keeps a join apart, with late members as arrows of their own', () => {
    const groups = new FlowGroups(stories.lateAndDuplicate().graph())
    expect(handlingGroup(groups, 'a.joiner')).toMatchObject({ isJoin: true, topics: ['t.left', 't.right'], count: 1 })
    expect(groups.overview.links).toContainEqual({
      from: 'event t.left from a.left',
      to: 'join a.joiner',
      kind: 'late',
      count: 1,
    })
    expect(handlingGroup(groups, 'a.right').duplicatesSkipped).toBe(1)
  })

  it('sums cost and attempts, and says who is awaited', () => {
    const retried = new FlowGroups(stories.retried().graph())
    expect(retried.overview.cost).toBe(0.004)
    expect(handlingGroup(retried, 'a.shaky')).toMatchObject({ attempts: 3, retried: 1, cost: 0.004 })
    const open = new FlowGroups(stories.incomplete().graph())
    expect(eventGroup(open, 'credit.application-received').awaiting).toEqual([
      { agent: 'credit.credit-score', count: 1 },
      { agent: 'credit.income-verification', count: 1 },
    ])
    expect(open.overview.statuses).toMatchObject({ processing: 1, pending: 1, waiting: 1, completed: 1 })
  })

  it('tells the critical path by group, a loop once', () => {
    const { overview } = new FlowGroups(chain(11).graph())
    expect(overview.criticalPath).toEqual([
      { groupId: 'agent talk.answerer of talk.asked', handlings: 5, workedMs: 25, waitedMs: 25 },
      { groupId: 'agent talk.asker of talk.answered', handlings: 5, workedMs: 25, waitedMs: 25 },
    ])
  })

  it('is empty for a flow of nothing', () => {
    const { overview } = new FlowGroups(reconstructFlow({ flowId: crypto.randomUUID(), facts: [], manifests: [] }))
    expect(overview).toMatchObject({ groups: [], links: [], events: 0, cost: null })
  })
})

/** Far above what it takes on a busy machine, far below what anything quadratic would. */
const QUICK_MS = 20_000

describe.each([
  { name: 'a fan-out to 98,000 events', tell: () => fanOut(2_000, 24), events: 97_953, groups: 7 },
  { name: 'a chain of 20,000 events', tell: () => chain(20_000), events: 20_000, groups: 5 },
  { name: 'a join that 20,000 events reach', tell: () => crowdedJoin(20_000), events: 20_001, groups: 4 },
])('$name', ({ tell, events, groups }) => {
  let story: Story
  beforeAll(() => {
    story = tell()
  }, 30_000)

  it('is rebuilt and grouped in linear time', { timeout: QUICK_MS }, () => {
    const graph: FlowGraph = story.graph()
    const { overview } = new FlowGroups(graph)
    expect(overview.events).toBe(events)
    expect(overview.groups).toHaveLength(groups)
    expect(JSON.stringify(overview).length).toBeLessThan(20_000)
  })
})
