/** What stands above and below every drawing of a flow in a terminal: its state, and whether the drawing is all there is. */
import { durationText } from './duration-text.ts'
import { costOf, costText } from './flow-cost.ts'
import type { FlowGraph, FlowHandling } from './flow-graph.ts'
import { BOLD, DIM, PAINTS, type Painter } from './handling-words.ts'

/** Lines of one kind. */
const MAX_LISTED = 10
/** Agents of the critical path that are named. */
const MAX_ON_PATH = 6
const GREEN = 32
const YELLOW = 33

/** Id, status, duration, cost; when it began and where its trace is. */
export function headerLines(graph: FlowGraph, paint: Painter): string[] {
  const { flowId, status, startedAtMs, durationMs, traceId } = graph
  const took = durationMs === null ? '' : `  ${status === 'completed' ? 'in' : 'after'} ${durationText(durationMs)}`
  const cost = costOf(graph.handlings)
  const costs = cost === null ? '' : `  cost ${costText(cost)}`
  const title = `${paint(BOLD, `flow ${flowId}`)}  ${paint(PAINTS[status], status)}${took}${costs}`
  const began = startedAtMs === null ? [] : [`began ${new Date(startedAtMs).toISOString()}`]
  const traced = traceId === null ? [] : [`trace ${traceId}`]
  const more = [...began, ...traced]
  return more.length === 0 ? [title] : [title, paint(DIM, more.join('  '))]
}

/** The critical path, then the verdict on completeness with numbers and what is missing. */
export function footerLines(graph: FlowGraph, paint: Painter): string[] {
  return [...criticalLines(graph, paint), ...completenessLines(graph, paint)]
}

function criticalLines({ criticalPath, handlings, durationMs }: FlowGraph, paint: Painter): string[] {
  if (criticalPath.length < 2 || durationMs === null) return []
  const keys = new Set(criticalPath)
  const onPath = handlings.filter(({ key }) => keys.has(key))
  const sum = (read: (handling: FlowHandling) => number | null): number => {
    return onPath.reduce((total, handling) => total + (read(handling) ?? 0), 0)
  }
  const named = namesOf(onPath.map(({ agent }) => agent))
  const times = `worked ${durationText(sum(({ workedMs }) => workedMs))}, waited ${durationText(sum(({ waitedMs }) => waitedMs))}`
  return [paint(DIM, `critical path  ${named}: ${times} of ${durationText(durationMs)}`)]
}

/** The first and the last agents; a long way is not named step by step. */
function namesOf(agents: readonly string[]): string {
  if (agents.length <= MAX_ON_PATH) return agents.join(' → ')
  const half = MAX_ON_PATH / 2
  const left = agents.length - MAX_ON_PATH
  return [...agents.slice(0, half), `… ${left} more …`, ...agents.slice(-half)].join(' → ')
}

function completenessLines({ completeness, events }: FlowGraph, paint: Painter): string[] {
  const { reactionsExpected, reactionsEnded, eventsSeen, complete } = completeness
  const counts = `${reactionsEnded} of ${reactionsExpected} reactions ended, ${completeness.events} events`
  const met = eventsSeen === null ? '' : `, ${eventsSeen} met on their topics`
  const topics = new Map(events.map((event) => [event.id, event.topic]))
  const nameOf = (id: string): string => `${topics.get(id) ?? ''} ${id}`
  return [
    `${complete ? paint(GREEN, 'complete') : paint(YELLOW, 'NOT COMPLETE')}: ${counts}${met}`,
    ...listed(
      events.filter((event) => event.awaiting.length > 0),
      (event) => `${event.topic} still awaits ${event.awaiting.join(', ')}`,
    ),
    ...listed(completeness.unpublished, (id) => `${nameOf(id)} was claimed but never met on its topic`),
    ...listed(completeness.unaccounted, (id) => `${nameOf(id)} is on its topic but in no fact`),
    ...listed(completeness.idConflicts, ({ eventId, positions }) => {
      return `${nameOf(eventId)} has ${positions.length} records of different content`
    }),
    ...listed(completeness.unknown, (sentence) => sentence),
  ]
}

function listed<T>(items: readonly T[], textOf: (item: T) => string): string[] {
  const lines = items.slice(0, MAX_LISTED).map((item) => `  ${textOf(item)}`)
  return items.length > MAX_LISTED ? [...lines, `  and ${items.length - MAX_LISTED} more like the last`] : lines
}
