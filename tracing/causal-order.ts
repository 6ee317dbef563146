/** Order without clocks: by hop, then by the order of the causes, then by place in the log, then by id. */
import { firstPosition } from './event-drafts.ts'
import type { EventDraft, HandlingDraft } from './flow-drafts.ts'

/** Events in causal order, each with its number in it. An event whose hop nobody knows comes last. */
export function sortEvents(events: readonly EventDraft[]): EventDraft[] {
  const levels = new Map<number, EventDraft[]>()
  for (const event of events) {
    const hop = event.hop ?? Infinity
    const level = levels.get(hop)
    if (level === undefined) levels.set(hop, [event])
    else level.push(event)
  }
  const sorted: EventDraft[] = []
  for (const [, level] of [...levels].sort(([a], [b]) => compareNumbers(a, b))) {
    // All of a level are ranked by the levels below, so the order does not depend on what was placed first.
    for (const event of level) event.causeRank = lowestRank(event.causes.events)
    for (const event of level.sort(compareEvents)) {
      event.rank = sorted.length
      sorted.push(event)
    }
  }
  return sorted
}

/** Handlings in the order of the last of their inputs, then by name. Their events must have been sorted. */
export function sortHandlings(handlings: readonly HandlingDraft[]): HandlingDraft[] {
  for (const handling of handlings) handling.lastRank = highestRank(handling.inputs)
  return [...handlings].sort((a, b) => compareNumbers(a.lastRank, b.lastRank) || compareTexts(a.key, b.key))
}

function lowestRank(events: readonly EventDraft[]): number {
  let lowest = Infinity
  for (const { rank } of events) if (rank < lowest) lowest = rank
  return lowest
}

function highestRank(events: readonly EventDraft[]): number {
  let highest = -1
  for (const { rank } of events) if (rank > highest) highest = rank
  return highest
}

function compareEvents(a: EventDraft, b: EventDraft): number {
  return (
    compareNumbers(a.causeRank, b.causeRank) ||
    compareTexts(a.topic, b.topic) ||
    comparePlaces(a, b) ||
    compareTexts(a.id, b.id)
  )
}

/** One that was met nowhere comes last. */
function comparePlaces(a: EventDraft, b: EventDraft): number {
  const [one, other] = [firstPosition(a), firstPosition(b)]
  if (one === null || other === null) return Number(one === null) - Number(other === null)
  return compareNumbers(one.partition, other.partition) || compareNumbers(one.offset, other.offset)
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
