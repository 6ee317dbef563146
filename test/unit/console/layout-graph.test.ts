/** The direction of a drawing: from left to right unless that could not be read. */
import { describe, expect, it } from 'vitest'
import type { GraphModel, GraphNode } from '../../../console/web/graph/graph-model.ts'
import { layoutGraph } from '../../../console/web/graph/layout-graph.ts'

const ROOM = { width: 1_000, height: 600 }

function chainOf(length: number): GraphModel {
  const node = (index: number): GraphNode => ({
    ...{ id: `${index}`, kind: 'agent', title: `domain.agent-number-${index}`, detail: '', status: 'running' },
    ...{ badges: [], isCritical: false, label: '' },
  })
  const nodes = Array.from({ length }, (_, index) => node(index))
  const edges = nodes
    .slice(1)
    .map(({ id }, index) => ({ from: `${index}`, to: id, label: '', style: 'plain' as const }))
  return { nodes, edges }
}

describe('a drawing', () => {
  it('goes from left to right while it can be read', () => {
    const { direction, places } = layoutGraph(chainOf(4), ROOM)
    expect(direction).toBe('right')
    expect(places.get('3')?.x).toBeGreaterThan(places.get('0')?.x ?? 0)
    expect(places.get('3')?.y).toBe(places.get('0')?.y)
  })

  it('goes down when a chain would be too small to be read', () => {
    const { direction, places } = layoutGraph(chainOf(7), ROOM)
    expect(direction).toBe('down')
    expect(places.get('6')?.y).toBeGreaterThan(places.get('0')?.y ?? 0)
    expect(places.get('6')?.x).toBe(places.get('0')?.x)
  })

  it('stays as one reads when downwards is smaller still', () => {
    expect(layoutGraph(chainOf(60), { width: 1_000, height: 60 }).direction).toBe('right')
  })
})
