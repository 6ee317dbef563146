/** Drawings of small flows against golden files; `npx vitest run <this file> -u` writes them anew, to be read before they are kept. */
import { describe, expect, it } from 'vitest'
import { durationText } from '../../../tracing/duration-text.ts'
import type { FlowGraph } from '../../../tracing/flow-graph.ts'
import { renderJson } from '../../../tracing/render-json.ts'
import { renderMermaid } from '../../../tracing/render-mermaid.ts'
import { renderTree } from '../../../tracing/render-tree.ts'
import { Story } from './story.ts'
import * as stories from './stories.ts'

const drawn: Readonly<Record<string, () => FlowGraph>> = {
  linear: () => stories.linear().graph(),
  credit: () => stories.credit().graphFromLog(),
  retried: () => stories.retried().graph(),
  'dead-lettered': () => stories.deadLettered().graph(),
  'late-and-duplicate': () => stories.lateAndDuplicate().graph(),
  incomplete: () => stories.incomplete().graph(),
  wide: () => stories.wide().graph(),
  'without-facts': () => {
    const story = stories.credit()
    story.facts.length = 0
    story.records.splice(0, 1)
    return story.graphFromLog()
  },
}

describe.each(Object.entries(drawn))('the drawing of %s', (name, graph) => {
  it('as a tree', async () => {
    await expect(`${renderTree(graph())}\n`).toMatchFileSnapshot(`golden/${name}.tree.txt`)
  })

  it('as a sequence diagram', async () => {
    await expect(`${renderMermaid(graph())}\n`).toMatchFileSnapshot(`golden/${name}.mermaid.txt`)
  })
})

describe('renderTree', () => {
  it('draws the same with colours, and only then with escape codes', () => {
    const graph = stories.deadLettered().graph()
    const colored = renderTree(graph, { colors: true })
    expect(colored).toContain('\u001b[31m✗\u001b[0m')
    // eslint-disable-next-line no-control-regex -- escape codes are what is looked for
    expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderTree(graph))
  })

  it('draws a flow of one event, and one that claims to cause itself', () => {
    expect(renderTree(new Story('alone').graph())).toContain('NOT COMPLETE: 0 of 0 reactions ended, 0 events')
    const story = stories.linear()
    const [first, , last] = story.records
    if (first === undefined || last === undefined) throw new Error('the story has changed')
    story.records[0] = { ...first, envelope: { ...first.envelope, causes: [last.envelope.id], source: 'a.second' } }
    story.facts.length = 0
    expect(renderTree(story.graphFromLog())).toContain('flow')
    expect(renderMermaid(story.graphFromLog())).toContain('sequenceDiagram')
  })
})

describe('renderJson', () => {
  it('is the graph, field by field', async () => {
    const graph = stories.lateAndDuplicate().graph()
    expect(JSON.parse(renderJson(graph))).toEqual(graph)
    await expect(`${renderJson(graph)}\n`).toMatchFileSnapshot('golden/late-and-duplicate.json.txt')
  })
})

describe('durationText', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_520, '1.52 s'],
    [59_940, '59.9 s'],
    [125_000, '2 min 5 s'],
    [120_000, '2 min'],
    [10_920_000, '3 h 2 min'],
    [187_200_000, '2 d 4 h'],
  ])('reads %d as %s', (durationMs, text) => {
    expect(durationText(durationMs)).toBe(text)
  })
})
