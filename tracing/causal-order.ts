/** Order without clocks: by hop, then by the order of the causes, then by place in the log, then by id. */
import type { Uuid } from '../contracts/ids.ts'
import type { FlowEvent, FlowHandling } from './flow-graph.ts'

/** Events in causal order. An event whose hop nobody knows comes last. */
export function sortEvents(events: readonly FlowEvent[]): FlowEvent[] {
  const levels = new Map<number, FlowEvent[]>()
  for (const event of events) {
    const hop = event.hop ?? Infinity
    const level = levels.get(hop)
    if (level === undefined) levels.set(hop, [event])
    else level.push(event)
  }
  const rank = new Map<Uuid, number>()
  const sorted: FlowEvent[] = []
  for (const [, level] of [...levels].sort(([a], [b]) => a - b)) {
    // All of a level are ranked by the levels below, so the order does not depend on what was placed first.
    const keyed = level.map((event) => ({
      event,
      cause: Math.min(...event.causes.map((id) => rank.get(id) ?? Infinity)),
    }))
    keyed.sort((a, b) => compareNumbers(a.cause, b.cause) || compareEvents(a.event, b.event))
    for (const { event } of keyed) {
      rank.set(event.id, sorted.length)
      sorted.push(event)
    }
  }
  return sorted
}

/** Handlings in the order of the last of their inputs, then by name. */
export function sortHandlings(handlings: readonly FlowHandling[], events: readonly FlowEvent[]): FlowHandling[] {
  const rank = new Map(events.map((event, index) => [event.id, index]))
  return handlings
    .map((handling) => ({ handling, last: Math.max(-1, ...handling.inputs.map((id) => rank.get(id) ?? Infinity)) }))
    .sort((a, b) => compareNumbers(a.last, b.last) || compareTexts(a.handling.key, b.handling.key))
    .map(({ handling }) => handling)
}

function compareEvents(a: FlowEvent, b: FlowEvent): number {
  return (
    compareTexts(a.topic, b.topic) ||
    compareNumbers(a.position?.partition ?? Infinity, b.position?.partition ?? Infinity) ||
    compareNumbers(a.position?.offset ?? Infinity, b.position?.offset ?? Infinity) ||
    compareTexts(a.id, b.id)
  )
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
