/** Places the nodes of a drawing from left to right in the direction of the arrows, and leads the arrows around them. */
import { Graph, layout } from '@dagrejs/dagre'
import { sizeOf, type GraphModel } from './graph-model.ts'

/** Where the top left corner of a node is, and how large it is. */
export interface Placed {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A point in the drawing. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A drawing with places. */
export interface Layout {
  readonly places: ReadonlyMap<string, Placed>
  /** Points that an arrow passes between its ends, by its index in the model. */
  readonly paths: ReadonlyMap<number, readonly Point[]>
  readonly width: number
  readonly height: number
}

const SPACING = { rankdir: 'LR', nodesep: 16, ranksep: 42, edgesep: 14, marginx: 8, marginy: 8 } as const

/** Lays a drawing out. */
export function layoutGraph({ nodes, edges }: GraphModel): Layout {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ ...SPACING })
  for (const node of nodes) graph.setNode(node.id, { ...sizeOf(node) })
  const known = new Set(nodes.map(({ id }) => id))
  for (const [index, { from, to, label }] of edges.entries()) {
    const size = label === '' ? {} : { width: label.length * 6, height: 14, labelpos: 'c' }
    if (known.has(from) && known.has(to)) graph.setEdge(from, to, size, String(index))
  }
  layout(graph)
  const places = new Map(nodes.map(({ id }) => [id, placedAt(graph.node(id) as Partial<Placed>)]))
  const paths = new Map(
    graph
      .edges()
      .map((edge) => [Number(edge.name), (graph.edge(edge) as { points?: Point[] }).points?.slice(1, -1) ?? []]),
  )
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { places, paths, width, height }
}

/** dagre names the middle of a node. */
function placedAt({ x = 0, y = 0, width = 0, height = 0 }: Partial<Placed>): Placed {
  return { x: x - width / 2, y: y - height / 2, width, height }
}
