/**
 * Places the nodes of a drawing in the direction of the arrows, and leads the arrows around them. From left to right, as one reads; from
 * top to bottom where a long chain would otherwise be too small to be read.
 */
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

/** Which way the arrows go. */
export type Direction = 'right' | 'down'

/** Pixels that a drawing has. */
export interface Room {
  readonly width: number
  readonly height: number
}

/** A drawing with places. */
export interface Layout {
  readonly direction: Direction
  readonly places: ReadonlyMap<string, Placed>
  /** Points that an arrow passes between its ends, by its index in the model. */
  readonly paths: ReadonlyMap<number, readonly Point[]>
  readonly width: number
  readonly height: number
}

const SPACING = { nodesep: 16, ranksep: 42, edgesep: 14, marginx: 8, marginy: 8 } as const
const RANKS = { right: 'LR', down: 'TB' } as const
interface DagreEdge {
  readonly v: string
  readonly w: string
  readonly name?: string
}

/** Above this nobody minds. */
const READABLE_ZOOM = 0.8
/** Downwards must be worth it. */
const WORTH = 1.15

/** Lays a drawing out so that it can be read in this room. */
export function layoutGraph(model: GraphModel, room: Room): Layout {
  const right = layoutTowards(model, 'right')
  const zoom = zoomIn(room, right)
  if (zoom >= READABLE_ZOOM) return right
  const down = layoutTowards(model, 'down')
  return zoomIn(room, down) > zoom * WORTH ? down : right
}

function zoomIn(room: Room, { width, height }: Layout): number {
  return Math.min(1, room.width / Math.max(1, width), room.height / Math.max(1, height))
}

function layoutTowards({ nodes, edges }: GraphModel, direction: Direction): Layout {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ ...SPACING, rankdir: RANKS[direction] })
  for (const node of nodes) graph.setNode(node.id, { ...sizeOf(node) })
  const known = new Set(nodes.map(({ id }) => id))
  for (const [index, { from, to, label }] of edges.entries()) {
    const size = label === '' ? {} : { width: label.length * 6, height: 14, labelpos: 'c' }
    if (known.has(from) && known.has(to)) graph.setEdge(from, to, size, String(index))
  }
  layout(graph)
  const places = new Map(nodes.map(({ id }) => [id, placedAt(graph.node(id) as Partial<Placed>)]))
  const laid: readonly DagreEdge[] = graph.edges()
  const paths = new Map(
    laid.map((edge) => [Number(edge.name), (graph.edge(edge) as { points?: Point[] }).points?.slice(1, -1) ?? []]),
  )
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { direction, places, paths, width, height }
}

/** dagre names the middle of a node. */
function placedAt({ x = 0, y = 0, width = 0, height = 0 }: Partial<Placed>): Placed {
  return { x: x - width / 2, y: y - height / 2, width, height }
}
