/** Lists a flow for a terminal in causal order, one line for each event and handling: for flows too deep to draw as a tree. */
import { footerLines, headerLines } from './flow-frame.ts'
import type { FlowEvent, FlowGraph } from './flow-graph.ts'
import { GraphIndex } from './graph-index.ts'
import { BOLD, detailsOf, DIM, handlingWords, MARKS, painter, PAINTS, shortId } from './handling-words.ts'

/** How to list. */
export interface ListOptions {
  /** ANSI colours. @default false */
  readonly colors?: boolean
  /** More lines below an event, for example its body. @default none */
  readonly eventLines?: (event: FlowEvent) => readonly string[]
}

/** The list, several lines without a line break at the end. */
export function renderList(graph: FlowGraph, options: ListOptions = {}): string {
  const paint = painter(options.colors ?? false)
  const index = new GraphIndex(graph)
  const lines = [...headerLines(graph, paint), '']
  for (const event of graph.events) {
    const hop = event.hop === null ? '?' : String(event.hop)
    const source = event.source === null ? '' : `  from ${event.source}`
    const key = event.key === null ? '' : `  key ${event.key}`
    const causes = event.causes.length === 0 ? '' : `  after ${event.causes.map(shortId).join(', ')}`
    lines.push(
      `${hop.padStart(5)}  ● ${paint(BOLD, event.topic)}  ${paint(DIM, shortId(event.id))}${source}${key}${causes}`,
    )
    for (const line of options.eventLines?.(event) ?? []) lines.push(`       ${paint(DIM, line)}`)
    for (const handling of index.consumersOf(event.id)) {
      if (handling.inputs.at(-1) !== event.id) continue
      const mark = paint(PAINTS[handling.status], MARKS[handling.status])
      lines.push(`       ${mark} ${handling.agent}  ${handlingWords(handling)}`)
      for (const line of detailsOf(handling)) lines.push(`         ${paint(DIM, line)}`)
    }
  }
  return [...lines, '', ...footerLines(graph, paint)].join('\n')
}
