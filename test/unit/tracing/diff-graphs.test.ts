/** Where two flows part: matched by causal position, told by kind of difference. */
import { describe, expect, it } from 'vitest'
import { diffGraphs, matchedEvents } from '../../../tracing/diff-graphs.ts'
import { diffValues } from '../../../tracing/diff-values.ts'
import type { FlowGraph } from '../../../tracing/flow-graph.ts'
import { renderDiff } from '../../../tracing/render-diff.ts'
import { chain, fanOut } from './large-flows.ts'
import * as stories from './stories.ts'

const open = (value: unknown) => ({ value, shown: value })

/** Bodies by topic, the same for every event of it. */
function bodiesOf(graph: FlowGraph, byTopic: Readonly<Record<string, unknown>>) {
  return graph.events.flatMap(({ id, topic }) => (topic in byTopic ? [[id, open(byTopic[topic])] as const] : []))
}

describe('diffGraphs', () => {
  it('finds no difference between two flows that went the same way, whatever their ids', () => {
    const diff = diffGraphs(stories.credit('one').graph(), stories.credit('other').graph())
    expect(diff).toMatchObject({ same: true, first: null, path: [], outcome: [], attempts: [], content: null })
    expect(diff.agents).toHaveLength(5)
    expect(matchedEvents(stories.credit('one').graph(), stories.credit('other').graph())).toHaveLength(6)
  })

  it('names the first place where paths part, and only where they part', () => {
    const diff = diffGraphs(stories.credit().graph(), stories.deadLettered().graph())
    expect(diff.same).toBe(false)
    expect(diff.first).toMatchObject({ agent: 'credit.credit-score', topic: 'credit.application-received', hop: 0 })
    expect(diff.path.map(({ side, kind, name, after }) => [side, kind, name, after])).toEqual([
      ['left', 'event', 'credit.score-calculated', 'credit.credit-score'],
      ['left', 'event', 'credit.risk-assessed', 'credit.risk-assessment'],
      ['left', 'event', 'credit.decision-made', 'credit.final-approval'],
    ])
    expect(diff.outcome.map(({ agent, left, right }) => [agent, left.status, right.status])).toEqual([
      ['credit.credit-score', 'completed', 'failed'],
      ['credit.risk-assessment', 'completed', 'stuck'],
      ['credit.final-approval', 'completed', 'stuck'],
    ])
    expect(diff.attempts).toEqual([
      { agent: 'credit.credit-score', topic: 'credit.application-received', hop: 0, left: 1, right: 5 },
      { agent: 'credit.risk-assessment', topic: '', hop: 1, left: 1, right: 0 },
      { agent: 'credit.final-approval', topic: '', hop: 2, left: 1, right: 0 },
    ])
  })

  it('is turned around when the sides are', () => {
    const there = diffGraphs(stories.credit().graph(), stories.deadLettered().graph())
    const back = diffGraphs(stories.deadLettered().graph(), stories.credit().graph())
    const turned = { left: 'right', right: 'left' } as const
    expect(back.path).toEqual(there.path.map((difference) => ({ ...difference, side: turned[difference.side] })))
  })

  it('compares contents field by field, and only of what both have', () => {
    const [left, right] = [stories.credit('one').graph(), stories.credit('other').graph()]
    const bodies = new Map([
      ...bodiesOf(left, {
        'credit.score-calculated': { score: 690, reasons: ['short history'] },
        'credit.risk-assessed': 1,
      }),
      ...bodiesOf(right, { 'credit.score-calculated': { score: 710, reasons: [] } }),
    ])
    const diff = diffGraphs(left, right, bodies)
    expect(diff).toMatchObject({ same: false, first: null })
    expect(diff.content).toHaveLength(1)
    expect(diff.content?.[0]).toMatchObject({
      topic: 'credit.score-calculated',
      fields: [
        { path: 'score', left: 690, right: 710 },
        { path: 'reasons[0]', left: 'short history', right: undefined },
      ],
    })
  })

  it('counts missing members of a fan-out instead of naming each', () => {
    const diff = diffGraphs(fanOut(30, 1).graph(), fanOut(20, 1).graph())
    expect(diff.path).toMatchObject([{ side: 'left', kind: 'event', name: 'batch.task', count: 10 }])
  })

  it('is quick for deep flows', { timeout: 6_000 }, () => {
    expect(diffGraphs(chain(5_000).graph(), chain(5_000).graph()).same).toBe(true)
  })
})

describe('diffValues', () => {
  it('compares what is hidden without showing it', () => {
    const left = { value: { name: 'Ada', city: 'London' }, shown: { name: '*** string', city: 'London' } }
    const right = { value: { name: 'Bob', city: 'London' }, shown: { name: '*** string', city: 'London' } }
    expect(diffValues(left, left)).toEqual([])
    expect(diffValues(left, right)).toEqual([{ path: 'name', left: '*** string', right: '*** string' }])
    const whole = { value: { person: { name: 'Ada' } }, shown: { person: '*** Person' } }
    const other = { value: { person: { name: 'Bob' } }, shown: { person: '*** Person' } }
    expect(diffValues(whole, other)).toEqual([{ path: 'person', left: '*** Person', right: '*** Person' }])
  })

  it('knows lists from records, bytes and missing fields', () => {
    expect(diffValues(open([1, 2]), open([1, 3, 4])).map(({ path }) => path)).toEqual(['[1]', '[2]'])
    expect(diffValues(open({ a: null }), open({}))).toEqual([{ path: 'a', left: null, right: undefined }])
    expect(diffValues(open(Buffer.from('a')), open(Buffer.from('a')))).toEqual([])
    expect(diffValues(open(1n), open(1n))).toEqual([])
    expect(diffValues(open('x'), open({ x: 1 }))).toHaveLength(1)
  })
})

describe('renderDiff', () => {
  it.each([
    ['dead-lettered', () => diffGraphs(stories.credit().graph(), stories.deadLettered().graph())],
    ['same', () => diffGraphs(stories.credit('one').graph(), stories.credit('other').graph(), new Map())],
    ['retried', () => diffGraphs(stories.linear().graph(), stories.retried().graph())],
    [
      'content',
      () => {
        const [left, right] = [stories.linear().graph(), stories.linear().graph()]
        return {
          ...diffGraphs(left, right),
          content: [
            {
              topic: 't.middle',
              hop: 1,
              leftId: left.events[1]?.id ?? '',
              rightId: right.events[1]?.id ?? '',
              fields: [
                { path: 'score', left: 690, right: 710n },
                { path: 'name', left: '*** string', right: '*** string' },
                { path: 'text', left: 'x'.repeat(80), right: undefined },
              ],
            },
          ],
          same: false,
        }
      },
    ],
  ])('draws %s', async (name, diff) => {
    await expect(`${renderDiff(diff())}\n`).toMatchFileSnapshot(`golden/${name}.diff.txt`)
  })
})
