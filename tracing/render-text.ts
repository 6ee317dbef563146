/**
 * A flow as text for a terminal, in the form that can be read: a tree while it is small, groups when it is not. What is asked for by
 * name (`expand`, `all`) is shown whatever its size.
 */
import type { FlowEvent, FlowGraph } from './flow-graph.ts'
import { renderGroups } from './render-groups.ts'
import { renderList } from './render-list.ts'
import { renderTree } from './render-tree.ts'

/** How to draw. */
export interface TextOptions {
  /** ANSI colours. @default false */
  readonly colors?: boolean
  /** A tree of more lines is drawn by groups. @default 200 */
  readonly maxLines?: number
  /** Every event and handling by itself, whatever the size; with `expand`, every member of those groups. @default false */
  readonly all?: boolean
  /** Draw by groups and list the members of these agents and topics. @default none */
  readonly expand?: readonly string[]
  /** Draw by groups even when it is small. @default false */
  readonly groups?: boolean
  /** More lines below an event, for example its body. @default none */
  readonly eventLines?: (event: FlowEvent) => readonly string[]
}

/** Events and handlings beyond which a tree is not even tried. */
const MAX_TREE_PARTS = 5_000
/** Each hop indents a tree further. */
const MAX_TREE_HOPS = 60

/** The text, several lines without a line break at the end. */
export function renderText(graph: FlowGraph, options: TextOptions = {}): string {
  const { all = false, expand = [], maxLines = 200, groups = false, ...common } = options
  if (expand.length > 0) {
    return renderGroups(graph, { ...common, expand, ...(all ? { maxMembers: Infinity } : {}) })
  }
  if (groups) return renderGroups(graph, common)
  const isDeep = graph.events.some(({ hop }) => hop !== null && hop > MAX_TREE_HOPS)
  if (all) return isDeep ? renderList(graph, common) : renderTree(graph, { ...common, maxAlike: Infinity })
  if (isDeep || graph.events.length + graph.handlings.length > MAX_TREE_PARTS) return renderGroups(graph, common)
  const tree = renderTree(graph, common)
  return lineCount(tree) > maxLines ? renderGroups(graph, common) : tree
}

function lineCount(text: string): number {
  let count = 1
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}
