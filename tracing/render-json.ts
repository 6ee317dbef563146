/** The stable JSON form of a flow: exactly the fields of `FlowGraph`, in their order, indented by two. */
import type { FlowGraph } from './flow-graph.ts'

/** JSON text without a line break at the end. Readers check `formatVersion` and ignore fields that they do not know. */
export function renderJson(graph: FlowGraph): string {
  return JSON.stringify(graph, null, 2)
}
