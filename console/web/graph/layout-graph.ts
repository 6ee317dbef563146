/** Places the nodes of a drawing from left to right in the direction of the arrows. */
import { Graph, layout } from '@dagrejs/dagre'
import { sizeOf, type GraphModel } from './graph-model.ts'

/** Where the top left corner of a node is, and how large it is. */
export interface Placed {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Places by node id. */
export function layoutGraph({ nodes, edges }: GraphModel): ReadonlyMap<string, Placed> {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({
    rankdir: 'LR',
    nodesep: 18,
    ranksep: 56,
    edgesep: 10,
    marginx: 16,
    marginy: 16,
    ranker: 'network-simplex',
  })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of nodes) graph.setNode(node.id, { ...sizeOf(node) })
  const known = new Set(nodes.map(({ id }) => id))
  for (const [index, { from, to }] of edges.entries()) {
    if (known.has(from) && known.has(to)) graph.setEdge(from, to, {}, String(index))
  }
  layout(graph)
  return new Map(
    nodes.map(({ id }) => {
      const { x = 0, y = 0, width = 0, height = 0 } = graph.node(id) as Partial<Placed>
      return [id, { x: x - width / 2, y: y - height / 2, width, height }]
    }),
  )
}
