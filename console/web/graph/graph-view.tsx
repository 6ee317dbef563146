/**
 * Draws a graph that can be moved and zoomed. Every node is a stop of the Tab key and says what it is; whoever does not want a drawing
 * has the same as a table beside it.
 */
import {
  Background,
  Controls,
  Handle,
  MarkerType,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  type Node,
  type NodeProps,
} from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { useEffect, useMemo, useState, type KeyboardEvent, type ReactNode } from 'react'
import { StatusBar, toneOf } from '../parts/status.tsx'
import type { GraphModel, GraphNode } from './graph-model.ts'
import { layoutGraph, type Layout, type Room } from './layout-graph.ts'
import { LedEdgeLine, type LedEdge } from './led-edge.tsx'

/** What is drawn, and what is chosen in it. */
export interface GraphViewProps {
  readonly model: GraphModel
  /** Of the region. */
  readonly label: string
  readonly selected: string
  readonly onSelect: (id: string) => void
}

type BoxNode = Node<{ readonly node: GraphNode }, 'box'>

const NODE_TYPES = { box: Box }
const EDGE_TYPES = { led: LedEdgeLine }
/** Below a drawing there is room for the buttons: they must not cover a node. */
const PADDING = { x: '14px', top: '10px', bottom: '48px' } as const
const FIT = { padding: PADDING, maxZoom: 1.1, minZoom: 0.35 }
const FRAME = 100
/** Of the page: what stands beside and above a drawing. */
const BESIDE = { wide: 244, narrow: 48 }
const NARROW_PAGE = 900
const ABOVE = 200
const LEAST_HEIGHT = 380

/** See the file's head. */
export function GraphView(props: GraphViewProps): ReactNode {
  const { model, label } = props
  const shape = useMemo(() => shapeOf(model), [model])
  // Numbers change every few seconds; nodes keep their places as long as the drawing has the same parts.
  const [room] = useState(roomOfPage)
  const [laidOut, setLaidOut] = useState(() => ({ shape, layout: layoutGraph(model, room) }))
  if (laidOut.shape !== shape) setLaidOut({ shape, layout: layoutGraph(model, room) })
  const { layout } = laidOut
  return (
    <section className="graph" aria-label={label} style={{ height: heightOf(layout, room) }}>
      <ReactFlowProvider>
        <Drawing {...props} layout={layout} />
      </ReactFlowProvider>
    </section>
  )
}

/** What a drawing gets of the page; the style sheet limits its height alike. */
function roomOfPage(): Room {
  const width = innerWidth - (innerWidth > NARROW_PAGE ? BESIDE.wide : BESIDE.narrow)
  return { width, height: Math.max(LEAST_HEIGHT, innerHeight - ABOVE) }
}

/** As high as the drawing is when it is as wide as its room; the style sheet keeps it on the screen. */
function heightOf({ width, height }: Layout, room: Room): number {
  return Math.min(height, (height * room.width) / Math.max(1, width)) * FIT.maxZoom + FRAME
}

function Drawing({ model, layout, selected, onSelect }: GraphViewProps & { readonly layout: Layout }): ReactNode {
  const nodes = useMemo(() => nodesOf(model, layout, selected), [model, layout, selected])
  const edges = useMemo(() => edgesOf(model, layout, selected), [model, layout, selected])
  const { fitView } = useReactFlow()
  // The panel beside it takes a part of its width.
  const width = useStore((store) => store.width)
  useEffect(() => void fitView(FIT), [layout, width, fitView])
  const onKeyDown = (event: KeyboardEvent): void => {
    const id = (event.target as HTMLElement).closest('.react-flow__node')?.getAttribute('data-id')
    if (id === null || id === undefined || (event.key !== 'Enter' && event.key !== ' ')) return
    event.preventDefault()
    onSelect(id === selected ? '' : id)
  }
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      fitView
      fitViewOptions={FIT}
      minZoom={0.1}
      maxZoom={2}
      nodesDraggable={false}
      nodesConnectable={false}
      edgesFocusable={false}
      zoomOnScroll={false}
      panOnScroll={false}
      preventScrolling={false}
      disableKeyboardA11y
      onKeyDown={onKeyDown}
      onNodeClick={(_event, node) => onSelect(node.id === selected ? '' : node.id)}
      onPaneClick={() => onSelect('')}
      proOptions={{ hideAttribution: true }}
    >
      <Background gap={20} size={1} />
      <Controls showInteractive={false} position="bottom-right" orientation="horizontal" />
    </ReactFlow>
  )
}

function Box({ data: { node }, selected, sourcePosition, targetPosition }: NodeProps<BoxNode>): ReactNode {
  const { kind, title, detail, status, badges, counts, isCritical, label } = node
  const classes = ['box', kind, toneOf(status), selected ? 'selected' : '', isCritical ? 'critical' : '']
  return (
    <div className={classes.join(' ')}>
      <Handle type="target" position={targetPosition ?? Position.Left} isConnectable={false} />
      <strong>{title}</strong>
      <span className="visually-hidden">, {label}, </span>
      {detail !== '' && <span className="detail">{detail}</span>}
      {badges.length > 0 && (
        <span className="badges">
          {badges.map(({ text, tone }) => (
            <span key={text} className={tone}>
              {text}
            </span>
          ))}
        </span>
      )}
      {counts !== undefined && <StatusBar counts={counts} />}
      <Handle type="source" position={sourcePosition ?? Position.Right} isConnectable={false} />
    </div>
  )
}

function shapeOf({ nodes, edges }: GraphModel): string {
  return JSON.stringify([nodes.map(({ id }) => id), edges.map(({ from, to }) => [from, to])])
}

const ENDS = {
  right: { targetPosition: Position.Left, sourcePosition: Position.Right },
  down: { targetPosition: Position.Top, sourcePosition: Position.Bottom },
} as const

function nodesOf(model: GraphModel, { places, direction }: Layout, selected: string): BoxNode[] {
  return model.nodes.map((node) => {
    const { x = 0, y = 0, width = 0, height = 0 } = places.get(node.id) ?? {}
    return {
      ...{ id: node.id, type: 'box' as const, position: { x, y }, width, height, data: { node } },
      ...ENDS[direction],
      ...{ selected: node.id === selected, ariaRole: 'button' as const },
      domAttributes: { 'aria-pressed': node.id === selected },
    }
  })
}

function edgesOf({ edges }: GraphModel, { paths }: Layout, selected: string): LedEdge[] {
  return edges.map(({ from, to, label, style }, index) => {
    const isNear = selected !== '' && (from === selected || to === selected)
    return {
      ...{ id: `${index}`, type: 'led' as const, data: { through: paths.get(index) ?? [] } },
      ...{ source: from, target: to, focusable: false, className: `${style} ${isNear ? 'near' : ''}` },
      ...(label === '' ? {} : { label }),
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 },
    }
  })
}
