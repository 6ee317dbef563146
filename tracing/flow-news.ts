/**
 * What has happened in a flow between two readings of it, as lines for somebody who follows it. Many alike pieces of news become one
 * line, so that a fan-out to thousands does not flood the terminal.
 */
import type { FlowEvent, FlowGraph, FlowHandling } from './flow-graph.ts'
import { BOLD, DIM, handlingWords, MARKS, painter, PAINTS, shortId, type Painter } from './handling-words.ts'

/** More alike news than this are told as one. */
const MAX_ALIKE = 5

/** Whether more is to come: `over` when everything has ended, `stands still` when only waits remain that nothing under way can end. */
export function flowEnd({ handlings, completeness, status }: FlowGraph): 'over' | 'stands still' | 'goes on' {
  if (status === 'pending' || handlings.length === 0) return completeness.complete ? 'over' : 'goes on'
  const open = handlings.filter((handling) => handling.status !== 'completed' && handling.status !== 'failed')
  if (open.length === 0) return 'over'
  return open.every((handling) => handling.status === 'stuck') ? 'stands still' : 'goes on'
}

/** Lines about what `next` tells beyond `previous`, in causal order; all of it when there is no `previous`. */
export function newsLines(
  previous: FlowGraph | undefined,
  next: FlowGraph,
  { colors = false }: { readonly colors?: boolean } = {},
): readonly string[] {
  const paint = painter(colors)
  const known = new Set(previous?.events.map((event) => event.id))
  const before = new Map(previous?.handlings.map((handling) => [handling.key, stateOf(handling)]))
  const rank = new Map(next.events.map((event, index) => [event.id, index]))
  const news: News[] = next.events
    .filter((event) => !known.has(event.id))
    .map((event) => ({ at: rank.get(event.id) ?? 0, kind: `● ${event.topic}`, text: eventText(event, paint) }))
  for (const handling of next.handlings) {
    // An event that nobody has reacted to yet is told by the event itself.
    if (handling.status === 'pending' || before.get(handling.key) === stateOf(handling)) continue
    const at = Math.max(...handling.inputs.map((id) => rank.get(id) ?? 0)) + 0.5
    const kind = `${paint(PAINTS[handling.status], MARKS[handling.status])} ${handling.agent}  ${handling.status}`
    news.push({ at, kind, text: handlingText(handling, paint) })
  }
  return alikeTogether(news.sort((a, b) => a.at - b.at))
}

interface News {
  readonly at: number
  /** What alike news have in common. */
  readonly kind: string
  readonly text: string
}

function alikeTogether(news: readonly News[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { kind } of news) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const told = new Set<string>()
  return news.flatMap(({ kind, text }) => {
    const count = counts.get(kind) ?? 1
    if (count <= MAX_ALIKE) return [text]
    if (told.has(kind)) return []
    told.add(kind)
    return [`${kind} × ${count}`]
  })
}

/** What a follower is told about when it changes. */
function stateOf({ status, attempts, failedAttempts }: FlowHandling): string {
  return `${status} ${attempts} ${failedAttempts.length}`
}

function eventText({ topic, id, hop, source }: FlowEvent, paint: Painter): string {
  const from = hop === 0 && source !== null ? `  from ${source}` : ''
  return `● ${paint(BOLD, topic === '' ? 'an event that was not found' : topic)}  ${paint(DIM, shortId(id))}${from}`
}

function handlingText(handling: FlowHandling, paint: Painter): string {
  const { status, agent, errorCode, errorMessage } = handling
  const words = handlingWords(handling)
  const failure = handling.failedAttempts.at(-1)
  const error = status === 'failed' ? `  ${errorCode ?? ''}: ${errorMessage ?? ''}` : ''
  const retry =
    status === 'processing' && failure !== undefined ? `  ${failure.errorCode ?? ''} ${failure.errorMessage ?? ''}` : ''
  const text = `${words}${error}${retry}`.replace(/\s*\n\s*/g, ' ')
  return `${paint(PAINTS[status], MARKS[status])} ${agent}  ${text === '' ? status : text}`
}
