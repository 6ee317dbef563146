/** An arrow that is led around the nodes in its way: a smooth line through the points of the layout. */
import { BaseEdge, Position, type Edge, type EdgeProps } from '@xyflow/react'
import type { ReactNode } from 'react'
import type { Point } from './layout-graph.ts'

/** An arrow and the points between its ends. */
export type LedEdge = Edge<{ readonly through: readonly Point[] }, 'led'>

/** See the file's head. */
export function LedEdgeLine({
  sourceX,
  sourceY,
  targetX,
  targetY,
  sourcePosition,
  data,
  markerEnd,
  label,
}: EdgeProps<LedEdge>): ReactNode {
  const points = [{ x: sourceX, y: sourceY }, ...(data?.through ?? []), { x: targetX, y: targetY }]
  const middle = points[Math.floor(points.length / 2)] ?? { x: sourceX, y: sourceY }
  const before = points[Math.floor((points.length - 1) / 2)] ?? middle
  return (
    <BaseEdge
      path={smoothPath(points, sourcePosition === Position.Bottom)}
      {...(markerEnd === undefined ? {} : { markerEnd })}
      {...(label === undefined ? {} : { label, labelX: (middle.x + before.x) / 2, labelY: (middle.y + before.y) / 2 })}
    />
  )
}

/** Straight where it leaves and arrives and at every point between, so that arrows read in their direction. */
function smoothPath(points: readonly Point[], isDown: boolean): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  let path = `M${first.x},${first.y}`
  let last = first
  for (const point of rest) {
    const bend = { x: (last.x + point.x) / 2, y: (last.y + point.y) / 2 }
    path += isDown
      ? ` C${last.x},${bend.y} ${point.x},${bend.y} ${point.x},${point.y}`
      : ` C${bend.x},${last.y} ${bend.x},${point.y} ${point.x},${point.y}`
    last = point
  }
  return path
}
