/** Draws a flow as a Mermaid sequence diagram: who said what to whom, in causal order. Messages that are alike are drawn once. */
import { durationText } from './duration-text.ts'
import type { FlowEvent, FlowGraph, FlowHandling } from './flow-graph.ts'
import { GraphIndex } from './graph-index.ts'

/** More alike messages than this are drawn as one with their number. */
const MAX_ALIKE = 4

/** The diagram's text, several lines without a line break at the end. */
export function renderMermaid(graph: FlowGraph): string {
  const index = new GraphIndex(graph)
  const people = new Participants()
  const steps: Step[] = []
  for (const handling of graph.handlings) steps.push(...stepsOf(handling, index, people))
  for (const event of graph.events) {
    if (index.consumersOf(event.id).length > 0) continue
    const who = people.of(sourceOf(event))
    steps.push({ text: `Note over ${who}: ${escape(event.topic)}`, note: '' })
  }
  return ['sequenceDiagram', ...people.lines(), ...together(steps)]
    .map((line, at) => (at === 0 ? line : `  ${line}`))
    .join('\n')
}

/** A message with what is noted below it. Steps with the same text are alike. */
interface Step {
  readonly text: string
  readonly note: string
}

class Participants {
  readonly #ids = new Map<string, string>()

  of(name: string): string {
    const id = this.#ids.get(name) ?? `p${this.#ids.size}`
    this.#ids.set(name, id)
    return id
  }

  lines(): string[] {
    return [...this.#ids].map(([name, id]) => `participant ${id} as ${escape(name)}`)
  }
}

function stepsOf(handling: FlowHandling, index: GraphIndex, people: Participants): Step[] {
  const inputs = handling.inputs.flatMap((id) => index.events.get(id) ?? [])
  const late = (handling.join?.late ?? []).flatMap((id) => index.events.get(id) ?? [])
  const messages = inputs.map((event) => ({ event, arrow: arrowOf(handling), suffix: '' }))
  const lateMessages = late.map((event) => ({ event, arrow: '-x', suffix: ' (too late)' }))
  return [...messages, ...lateMessages].map(({ event, arrow, suffix }, at) => {
    const from = people.of(sourceOf(event))
    const to = people.of(handling.agent)
    const isLast = at === inputs.length - 1
    const note = isLast ? noteOf(handling) : ''
    return {
      text: `${from}${arrow}${to}: ${escape(event.topic + suffix)}`,
      note: note === '' ? '' : `Note over ${to}: ${escape(note)}`,
    }
  })
}

function arrowOf({ status }: FlowHandling): string {
  if (status === 'failed') return '-x'
  return status === 'completed' ? '->>' : '--)'
}

function noteOf({ status, outcome, attempts, errorCode, join, workedMs }: FlowHandling): string {
  const texts: string[] = []
  if (join !== null) texts.push(join.fired ? 'joined' : `${status}, misses ${join.missing.join(', ')}`)
  else if (status !== 'completed') texts.push(status)
  else if (outcome !== 'completed' && outcome !== null) texts.push(outcome)
  if (errorCode !== null && status === 'failed') texts.push(errorCode)
  if (attempts > 1) texts.push(`attempt ${attempts}`)
  if (workedMs !== null) texts.push(durationText(workedMs))
  return texts.join(', ')
}

function sourceOf(event: FlowEvent): string {
  return event.source ?? 'unknown'
}

function together(steps: readonly Step[]): string[] {
  const counts = new Map<string, number>()
  for (const { text } of steps) counts.set(text, (counts.get(text) ?? 0) + 1)
  const drawn = new Set<string>()
  return steps.flatMap(({ text, note }) => {
    const count = counts.get(text) ?? 1
    if (count <= MAX_ALIKE) return note === '' ? [text] : [text, note]
    if (drawn.has(text)) return []
    drawn.add(text)
    return [`${text} × ${count}`]
  })
}

/** Characters that end a Mermaid statement or begin an entity. */
function escape(text: string): string {
  return text.replace(/[#;\n\r]/g, (character) => (character === '#' ? '#35;' : character === ';' ? '#59;' : ' '))
}
