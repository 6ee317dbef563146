/**
 * Draws a flow for a terminal: events and what agents made of them, top-down. A join is drawn once, under the event that completed
 * it, and referred to from its other members. Events that went the same way are drawn once, with their number.
 */
import { rangeText } from './duration-text.ts'
import { footerLines, headerLines } from './flow-frame.ts'
import type { FlowEvent, FlowGraph, FlowHandling } from './flow-graph.ts'
import { GraphIndex, type AlikeEvents } from './graph-index.ts'
import {
  BOLD,
  branchOf,
  detailsOf,
  DIM,
  handlingWords,
  MARKS,
  painter,
  PAINTS,
  shortId,
  type Painter,
} from './handling-words.ts'

/** How to draw. */
export interface TreeOptions {
  /** ANSI colours. @default false */
  readonly colors?: boolean
  /** More events of one kind than this under one handling are drawn as one. @default 4 */
  readonly maxAlike?: number
  /** More lines below an event, for example its body. @default none */
  readonly eventLines?: (event: FlowEvent) => readonly string[]
}

/** The drawing, several lines without a line break at the end. */
export function renderTree(graph: FlowGraph, options: TreeOptions = {}): string {
  return new Tree(graph, options).draw()
}

const YELLOW = 33
const CRITICAL = 35

class Tree {
  readonly #graph: FlowGraph
  readonly #index: GraphIndex
  readonly #paint: Painter
  readonly #maxAlike: number
  readonly #eventLines: (event: FlowEvent) => readonly string[]
  readonly #lines: string[] = []
  /** Numbers of joins that are referred to, by handling key. */
  readonly #joins: ReadonlyMap<string, number>
  readonly #drawn = new Set<string>()
  readonly #critical: ReadonlySet<string>

  constructor(graph: FlowGraph, options: TreeOptions) {
    this.#graph = graph
    this.#index = new GraphIndex(graph)
    this.#paint = painter(options.colors ?? false)
    this.#critical = criticalWorthMarking(graph)
    this.#maxAlike = options.maxAlike ?? 4
    this.#eventLines = options.eventLines ?? (() => [])
    const referred = graph.handlings.filter(({ join, inputs }) => join !== null && inputs.length + join.late.length > 1)
    this.#joins = new Map(referred.map((handling, index) => [handling.key, index + 1]))
  }

  draw(): string {
    this.#lines.push(...headerLines(this.#graph, this.#paint), '')
    const roots = this.#graph.events.filter((event) => event.publishedBy === null)
    // Garbage may claim that every event was caused by another.
    for (const event of roots.length > 0 ? roots : this.#graph.events.slice(0, 1)) this.#event(alone(event), '', '')
    this.#lines.push('', ...footerLines(this.#graph, this.#paint))
    return this.#lines.join('\n')
  }

  #event({ first, events }: AlikeEvents, lead: string, below: string): void {
    const isAgain = this.#drawn.has(first.id)
    this.#drawn.add(first.id)
    this.#lines.push(`${lead}${this.#eventText(first, events)}${isAgain ? '  (drawn above)' : ''}`)
    if (isAgain) return
    const handlings = this.#index.consumersOf(first.id)
    const margin = below + (handlings.length > 0 ? '│  ' : '   ')
    for (const line of this.#eventLines(first)) this.#lines.push(margin + this.#paint(DIM, line))
    handlings.forEach((handling, index) => {
      const [branch, rest] = branchOf(index, handlings.length)
      this.#handling(first, handling, below + branch, below + rest)
    })
  }

  #eventText(event: FlowEvent, alike: readonly FlowEvent[]): string {
    const name = event.topic === '' ? 'an event that was not found' : event.topic
    const notes: string[] = []
    if (alike.length > 1) notes.push(...this.#alikeNotes(alike))
    else notes.push(this.#paint(DIM, shortId(event.id)))
    if (event.hop === 0 && event.source !== null) notes.push(`from ${event.source}`)
    if (event.key !== null) notes.push(`key ${event.key}`)
    if (event.copies > 0) notes.push(`${event.copies + 1} records`)
    return [`● ${this.#paint(BOLD, name)}${alike.length > 1 ? ` × ${alike.length}` : ''}`, ...notes].join('  ')
  }

  #alikeNotes(alike: readonly FlowEvent[]): string[] {
    const latencies = alike.flatMap((event) =>
      this.#index.consumersOf(event.id).flatMap(({ latencyMs }) => latencyMs ?? []),
    )
    const example = `one of them ${shortId(alike[0]?.id ?? '')}`
    return [...(latencies.length === 0 ? [] : [`handled in ${rangeText(latencies)}`]), this.#paint(DIM, example)]
  }

  #handling(event: FlowEvent, handling: FlowHandling, lead: string, below: string): void {
    const { key, agent, join, inputs } = handling
    const number = this.#joins.get(key)
    const reference = number === undefined ? '' : ` [${number}]`
    if (join?.late.includes(event.id) === true && !inputs.includes(event.id)) {
      this.#lines.push(`${lead}${this.#paint(YELLOW, '≠')} ${agent}${reference}  too late, not used`)
      return
    }
    if (inputs.at(-1) !== event.id) {
      this.#lines.push(
        `${lead}${this.#paint(DIM, '↘')} ${agent}${reference}  ${this.#drawn.has(key) ? 'joined above' : 'joined below'}`,
      )
      return
    }
    this.#drawn.add(key)
    this.#lines.push(`${lead}${this.#handlingText(handling, reference)}`)
    const outputs = this.#groups(handling)
    const margin = below + (outputs.length > 0 ? '│  ' : '   ')
    for (const detail of detailsOf(handling)) this.#lines.push(margin + this.#paint(DIM, detail))
    outputs.forEach((group, index) => {
      const [branch, rest] = branchOf(index, outputs.length)
      this.#event(group, below + branch, below + rest)
    })
  }

  #handlingText(handling: FlowHandling, reference: string): string {
    const { status, agent, agentVersion } = handling
    const mark = this.#paint(PAINTS[status], MARKS[status])
    const version = agentVersion === '' ? '' : ` ${this.#paint(DIM, agentVersion)}`
    const critical = this.#critical.has(handling.key) ? `  ${this.#paint(CRITICAL, '◀ critical')}` : ''
    return `${mark} ${agent}${reference}${version}  ${handlingWords(handling)}${critical}`
  }

  /** Alike outputs together when there are many of them. */
  #groups(handling: FlowHandling): readonly AlikeEvents[] {
    if (this.#maxAlike === Infinity) return this.#index.outputsOf(handling).map(alone)
    return this.#index
      .alikeOutputsOf(handling)
      .flatMap((group) => (group.events.length > this.#maxAlike ? [group] : group.events.map(alone)))
  }
}

function alone(event: FlowEvent): AlikeEvents {
  return { first: event, events: [event] }
}

/** Where everything is critical, nothing is. */
function criticalWorthMarking({ criticalPath, handlings }: FlowGraph): ReadonlySet<string> {
  const ended = handlings.filter((handling) => handling.endedAtMs !== null).length
  return new Set(criticalPath.length < ended ? criticalPath : [])
}
