/**
 * Draws a flow for a terminal: events and what agents made of them, top-down. A join is drawn once, under the event that completed
 * it, and referred to from its other members. Events that went the same way are drawn once, with their number.
 */
import { durationText, rangeText } from './duration-text.ts'
import type { FlowEvent, FlowGraph, FlowHandling, FlowStatus } from './flow-graph.ts'
import { GraphIndex, type AlikeEvents } from './graph-index.ts'

/** How to draw. */
export interface TreeOptions {
  /** ANSI colours. @default false */
  readonly colors?: boolean
  /** More events of one kind than this under one handling are drawn as one. @default 4 */
  readonly maxAlike?: number
}

/** The drawing, several lines without a line break at the end. */
export function renderTree(graph: FlowGraph, options: TreeOptions = {}): string {
  return new Tree(graph, options).draw()
}

const MARKS: Readonly<Record<FlowStatus, string>> = {
  pending: '○',
  processing: '◐',
  waiting: '◔',
  stuck: '■',
  completed: '✓',
  failed: '✗',
}
const PAINTS: Readonly<Record<FlowStatus, number>> = {
  pending: 36,
  processing: 36,
  waiting: 33,
  stuck: 31,
  completed: 32,
  failed: 31,
}
const DIM = 2
const BOLD = 1
const MAX_ATTEMPTS_SHOWN = 3
const MAX_STEPS_SHOWN = 8
const SHORT_ID_LENGTH = 8
/** Lines of one kind below the drawing. */
const MAX_LISTED = 10

class Tree {
  readonly #graph: FlowGraph
  readonly #index: GraphIndex
  readonly #colors: boolean
  readonly #maxAlike: number
  readonly #lines: string[] = []
  /** Numbers of joins that are referred to, by handling key. */
  readonly #joins: ReadonlyMap<string, number>
  readonly #drawn = new Set<string>()

  constructor(graph: FlowGraph, options: TreeOptions) {
    this.#graph = graph
    this.#index = new GraphIndex(graph)
    this.#colors = options.colors ?? false
    this.#maxAlike = options.maxAlike ?? 4
    const referred = graph.handlings.filter(({ join, inputs }) => join !== null && inputs.length + join.late.length > 1)
    this.#joins = new Map(referred.map((handling, index) => [handling.key, index + 1]))
  }

  draw(): string {
    this.#header()
    const roots = this.#graph.events.filter((event) => event.publishedBy === null)
    // Garbage may claim that every event was caused by another.
    for (const event of roots.length > 0 ? roots : this.#graph.events.slice(0, 1)) this.#event(alone(event), '', '')
    this.#footer()
    return this.#lines.join('\n')
  }

  #header(): void {
    const { flowId, status, startedAtMs, durationMs, traceId } = this.#graph
    const took = durationMs === null ? '' : `  ${status === 'completed' ? 'in' : 'after'} ${durationText(durationMs)}`
    this.#lines.push(`${this.#paint(BOLD, `flow ${flowId}`)}  ${this.#status(status)}${took}`)
    const began = startedAtMs === null ? [] : [`began ${new Date(startedAtMs).toISOString()}`]
    const traced = traceId === null ? [] : [`trace ${traceId}`]
    if (began.length + traced.length > 0) this.#lines.push(this.#paint(DIM, [...began, ...traced].join('  ')))
    this.#lines.push('')
  }

  #event({ first, events }: AlikeEvents, lead: string, below: string): void {
    const isAgain = this.#drawn.has(first.id)
    this.#drawn.add(first.id)
    this.#lines.push(`${lead}${this.#eventText(first, events)}${isAgain ? '  (drawn above)' : ''}`)
    if (isAgain) return
    const handlings = this.#index.consumersOf(first.id)
    handlings.forEach((handling, index) => {
      const [branch, rest] = branchOf(index, handlings.length)
      this.#handling(first, handling, below + branch, below + rest)
    })
  }

  #eventText(event: FlowEvent, alike: readonly FlowEvent[]): string {
    const name = event.topic === '' ? 'an event that was not found' : event.topic
    const notes: string[] = []
    if (alike.length > 1) notes.push(...this.#alikeNotes(alike))
    else notes.push(this.#paint(DIM, event.id.slice(0, SHORT_ID_LENGTH)))
    if (event.hop === 0 && event.source !== null) notes.push(`from ${event.source}`)
    if (event.key !== null) notes.push(`key ${event.key}`)
    if (event.copies > 0) notes.push(`${event.copies + 1} records`)
    return [`● ${this.#paint(BOLD, name)}${alike.length > 1 ? ` × ${alike.length}` : ''}`, ...notes].join('  ')
  }

  #alikeNotes(alike: readonly FlowEvent[]): string[] {
    const latencies = alike.flatMap((event) =>
      this.#index.consumersOf(event.id).flatMap(({ latencyMs }) => latencyMs ?? []),
    )
    const example = `one of them ${alike[0]?.id.slice(0, SHORT_ID_LENGTH) ?? ''}`
    return [...(latencies.length === 0 ? [] : [`handled in ${rangeText(latencies)}`]), this.#paint(DIM, example)]
  }

  #handling(event: FlowEvent, handling: FlowHandling, lead: string, below: string): void {
    const { key, agent, join, inputs } = handling
    const number = this.#joins.get(key)
    const reference = number === undefined ? '' : ` [${number}]`
    if (join?.late.includes(event.id) === true && !inputs.includes(event.id)) {
      this.#lines.push(`${lead}${this.#paint(33, '≠')} ${agent}${reference}  too late, not used`)
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
    const words = [endText(handling), ...timeTexts(handling), ...noteTexts(handling)].filter((text) => text !== '')
    return `${mark} ${agent}${reference}${version}  ${words.join(', ')}`
  }

  /** Alike outputs together when there are many of them. */
  #groups(handling: FlowHandling): readonly AlikeEvents[] {
    return this.#index
      .alikeOutputsOf(handling)
      .flatMap((group) => (group.events.length > this.#maxAlike ? [group] : group.events.map(alone)))
  }

  #footer(): void {
    const { completeness } = this.#graph
    const { reactionsExpected, reactionsEnded, events, eventsSeen } = completeness
    const counts = `${reactionsEnded} of ${reactionsExpected} reactions ended, ${events} events`
    const met = eventsSeen === null ? '' : `, ${eventsSeen} met on their topics`
    const verdict = completeness.complete ? this.#paint(32, 'complete') : this.#paint(33, 'NOT COMPLETE')
    this.#lines.push('', `${verdict}: ${counts}${met}`)
    const awaiting = this.#graph.events.filter((event) => event.awaiting.length > 0)
    this.#list(awaiting, (event) => `${event.topic} still awaits ${event.awaiting.join(', ')}`)
    this.#list(completeness.unpublished, (id) => `${this.#topicOf(id)} ${id} was claimed but never met on its topic`)
    this.#list(completeness.unaccounted, (id) => `${this.#topicOf(id)} ${id} is on its topic but in no fact`)
    this.#list(completeness.idConflicts, ({ eventId, positions }) => {
      return `${this.#topicOf(eventId)} ${eventId} has ${positions.length} records of different content`
    })
    this.#list(completeness.unknown, (sentence) => sentence)
  }

  #list<T>(items: readonly T[], textOf: (item: T) => string): void {
    for (const item of items.slice(0, MAX_LISTED)) this.#lines.push(`  ${textOf(item)}`)
    if (items.length > MAX_LISTED) this.#lines.push(`  and ${items.length - MAX_LISTED} more like the last`)
  }

  #topicOf(eventId: string): string {
    return this.#index.events.get(eventId)?.topic ?? ''
  }

  #status(status: FlowStatus): string {
    return this.#paint(PAINTS[status], status)
  }

  #paint(code: number, text: string): string {
    return this.#colors ? `\u001b[${code}m${text}\u001b[0m` : text
  }
}

function alone(event: FlowEvent): AlikeEvents {
  return { first: event, events: [event] }
}

function branchOf(index: number, count: number): readonly [branch: string, rest: string] {
  return index === count - 1 ? ['└─ ', '   '] : ['├─ ', '│  ']
}

function endText({ status, outcome, join, inferred, attempts }: FlowHandling): string {
  if (inferred) return 'completed, as its outputs tell'
  if (status === 'completed') return outcome === 'completed' ? '' : (outcome ?? 'completed')
  if (status === 'failed') return `dead-lettered after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  if (join !== null && join.missing.length > 0)
    return `${status} for ${join.missing.join(', ')}`.replace('stuck for', 'stuck without')
  return status === 'pending' ? 'not heard of yet' : status
}

function timeTexts({ workedMs, waitedMs, join }: FlowHandling): string[] {
  const texts: string[] = []
  if (join !== null && join.gatheredMs !== null) texts.push(`members came within ${durationText(join.gatheredMs)}`)
  if (workedMs !== null) texts.push(`worked ${durationText(workedMs)}`)
  if (waitedMs !== null) texts.push(`waited ${durationText(waitedMs)}`)
  return texts
}

function noteTexts({ status, attempts, duplicatesSkipped }: FlowHandling): string[] {
  const texts: string[] = []
  if (attempts > 1 && status !== 'failed') texts.push(`attempt ${attempts}`)
  if (duplicatesSkipped > 0) texts.push(`${duplicatesSkipped} ${duplicatesSkipped === 1 ? 'copy' : 'copies'} skipped`)
  return texts
}

function detailsOf(handling: FlowHandling): readonly string[] {
  const { failedAttempts, errorCode, errorMessage, deadLetter, status, steps } = handling
  const failures = failedAttempts.map(
    (failure) => `attempt ${failure.attempt} failed: ${failure.errorCode ?? ''} ${failure.errorMessage ?? ''}`,
  )
  const hidden = failures.length - MAX_ATTEMPTS_SHOWN
  const shown = hidden > 0 ? [`${hidden} earlier attempts failed`, ...failures.slice(hidden)] : failures
  const error = status === 'failed' && errorCode !== null ? [`${errorCode}: ${errorMessage ?? ''}`] : []
  const letter = deadLetter === null ? [] : [`dead letter ${deadLetter}`]
  return [...shown, ...stepTexts(steps), ...error, ...letter].map(oneLine)
}

function stepTexts(steps: FlowHandling['steps']): readonly string[] {
  const texts = steps.slice(0, MAX_STEPS_SHOWN).map(({ name, durationMs, cost, replayed }) => {
    const words = [
      durationText(durationMs),
      ...(cost === null ? [] : [`cost ${cost}`]),
      ...(replayed ? ['replayed'] : []),
    ]
    return `step ${name}: ${words.join(', ')}`
  })
  return steps.length > MAX_STEPS_SHOWN ? [...texts, `and ${steps.length - MAX_STEPS_SHOWN} more steps`] : texts
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
