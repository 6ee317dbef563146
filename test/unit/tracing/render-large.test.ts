/** Flows too large for a tree: drawn by groups, expanded on demand, listed when all is asked for. */
import { describe, expect, it } from 'vitest'
import { renderGroups } from '../../../tracing/render-groups.ts'
import { renderText } from '../../../tracing/render-text.ts'
import { chain, crowdedJoin, fanOut } from './large-flows.ts'
import * as stories from './stories.ts'

const lines = (text: string): number => text.split('\n').length

describe('renderText', () => {
  it('draws a small flow as a tree, and by groups when asked', () => {
    const graph = stories.credit().graph()
    expect(renderText(graph)).toContain('● credit.application-received  f3b23211')
    expect(renderText(graph, { groups: true })).toContain('● credit.application-received × 1')
  })

  it('draws a flow by groups as soon as its tree is too long', () => {
    const graph = stories.wide().graph()
    expect(renderText(graph)).toContain('batch.task × 298')
    expect(renderText(graph, { maxLines: 12 })).toContain('batch.task × 300')
  })

  it('lists every event when all is asked for, one that is deep without indenting it', () => {
    const wide = renderText(stories.wide().graph(), { all: true })
    expect(wide.split('● batch.task').length - 1).toBe(300)
    const deep = renderText(chain(3_000).graph(), { all: true })
    expect(lines(deep)).toBeGreaterThan(6_000)
    expect(Math.max(...deep.split('\n').map((line) => line.length))).toBeLessThan(240)
  })
})

describe('renderGroups', () => {
  it.each([
    ['fan-out', () => fanOut(20, 100).graph()],
    ['chain', () => chain(1_000).graph()],
    ['crowded-join', () => crowdedJoin(1_000).graph()],
    ['incomplete', () => stories.incomplete().graph()],
    ['retried', () => stories.retried().graph()],
  ])('draws %s', async (name, graph) => {
    await expect(`${renderGroups(graph())}\n`).toMatchFileSnapshot(`golden/${name}.groups.txt`)
  })

  it('lists the members of a group: what failed first, and says how many are left', async () => {
    const graph = fanOut(20, 100).graph()
    const expanded = renderGroups(graph, { expand: ['batch.checker', 'batch.task'], maxMembers: 3 })
    await expect(`${expanded}\n`).toMatchFileSnapshot('golden/fan-out.expanded.txt')
    const all = renderText(graph, { expand: ['batch.checker'], all: true })
    expect(lines(all)).toBeGreaterThan(2_000)
    expect(all).not.toContain('--all lists every one')
  })

  it('paints only when asked', () => {
    const graph = stories.deadLettered().graph()
    const colored = renderGroups(graph, { colors: true })
    // eslint-disable-next-line no-control-regex -- escape codes are what is looked for
    expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderGroups(graph))
    expect(colored).toContain('\u001b[31m✗ 1\u001b[0m')
  })
})
