/** One group of a flow in numbers: counts, spreads, and by name only those members that need a look. */
import type { Uuid } from '../contracts/ids.ts'
import { needsAttention } from './discarded.ts'
import { costOf } from './flow-cost.ts'
import type { FlowEvent, FlowHandling, FlowStatus } from './flow-graph.ts'
import type { EventGroup, GroupMember, HandlingGroup, Spread, StatusCounts } from './flow-groups.ts'

const MAX_ATTENTION = 5

/** What needs a look first. */
const LOOK_ORDER: Readonly<Record<FlowStatus, number>> = {
  failed: 0,
  stuck: 1,
  waiting: 2,
  processing: 3,
  pending: 4,
  completed: 5,
}

/** Order of a group's handlings: what needs a look first, then what worked or waited longest, then by key. */
export function byAttention(a: FlowHandling, b: FlowHandling): number {
  return LOOK_ORDER[a.status] - LOOK_ORDER[b.status] || costInMs(b) - costInMs(a) || (a.key < b.key ? -1 : 1)
}

function costInMs({ workedMs, waitedMs }: FlowHandling): number {
  return workedMs ?? waitedMs ?? 0
}

/** Handlings by status. */
export function countStatuses(handlings: readonly FlowHandling[]): StatusCounts {
  const counts = { pending: 0, processing: 0, waiting: 0, stuck: 0, completed: 0, failed: 0 }
  for (const { status } of handlings) counts[status]++
  return counts
}

/** The numbers of a group of events. */
export function summarizeEvents(id: string, events: readonly FlowEvent[]): EventGroup {
  const [first] = events
  const hops = rangeOf(events, (event) => event.hop)
  const times = rangeOf(events, (event) => event.recordedAtMs)
  let copies = 0
  const awaiting = new Map<string, number>()
  for (const event of events) {
    copies += event.copies
    for (const agent of event.awaiting) awaiting.set(agent, (awaiting.get(agent) ?? 0) + 1)
  }
  return {
    kind: 'events',
    id,
    topic: first?.topic ?? '',
    source: first?.source ?? null,
    count: events.length,
    leastHop: hops.least,
    mostHop: hops.most,
    startedAtMs: times.least,
    endedAtMs: times.most,
    copies,
    awaiting: mostFirst(awaiting).map(([agent, count]) => ({ agent, count })),
  }
}

/** What a group of handlings is summed up with. */
export interface SummaryContext {
  /** '' for an event that there is not. */
  readonly topicOf: (eventId: Uuid) => string
  /** Keys on the critical path. */
  readonly critical: ReadonlySet<string>
}

/** The numbers of a group of handlings. */
export function summarizeHandlings(
  id: string,
  handlings: readonly FlowHandling[],
  { topicOf, critical }: SummaryContext,
): HandlingGroup {
  const [first] = handlings
  const hops = rangeOf(handlings, (handling) => handling.hop)
  return {
    kind: 'handlings',
    id,
    agent: first?.agent ?? '',
    topics: topicsOf(first, topicOf),
    isJoin: first !== undefined && first.join !== null,
    count: handlings.length,
    statuses: countStatuses(handlings),
    leastHop: hops.least,
    mostHop: hops.most,
    startedAtMs: rangeOf(handlings, (handling) => handling.startedAtMs).least,
    endedAtMs: rangeOf(handlings, (handling) => handling.endedAtMs).most,
    waited: spreadOf(handlings, (handling) => handling.waitedMs),
    worked: spreadOf(handlings, (handling) => handling.workedMs),
    attempts: sumOf(handlings, ({ attempts }) => attempts),
    retried: sumOf(handlings, ({ attempts }) => Number(attempts > 1)),
    duplicatesSkipped: sumOf(handlings, ({ duplicatesSkipped }) => duplicatesSkipped),
    deadLetters: sumOf(handlings, ({ deadLetter }) => Number(deadLetter !== null)),
    cost: costOf(handlings),
    errors: errorsOf(handlings),
    critical: sumOf(handlings, ({ key }) => Number(critical.has(key))),
    attention: attentionOf(handlings),
    slowest: slowestOf(handlings),
  }
}

function topicsOf(handling: FlowHandling | undefined, topicOf: SummaryContext['topicOf']): readonly string[] {
  if (handling === undefined) return []
  const { join, inputs } = handling
  const named = join === null || join.topics.length === 0 ? inputs.map(topicOf) : join.topics
  return [...new Set(named)].sort()
}

function errorsOf(handlings: readonly FlowHandling[]): HandlingGroup['errors'] {
  const counts = new Map<string, number>()
  for (const { errorCode } of handlings) {
    if (errorCode !== null) counts.set(errorCode, (counts.get(errorCode) ?? 0) + 1)
  }
  return mostFirst(counts).map(([code, count]) => ({ code, count }))
}

/** The few that need a look, found without sorting the many that do not. */
function attentionOf(handlings: readonly FlowHandling[]): readonly GroupMember[] {
  const open = handlings.filter(needsAttention)
  return open.sort(byAttention).slice(0, MAX_ATTENTION).map(memberOf)
}

function slowestOf(handlings: readonly FlowHandling[]): GroupMember | null {
  let slowest: FlowHandling | undefined
  for (const handling of handlings) {
    if (handling.workedMs !== null && handling.workedMs > (slowest?.workedMs ?? -1)) slowest = handling
  }
  return slowest === undefined ? null : memberOf(slowest)
}

function memberOf(handling: FlowHandling): GroupMember {
  const { key, inputs, status, attempts, waitedMs, workedMs, errorCode, errorMessage } = handling
  return { key, eventId: inputs.at(-1) ?? null, status, attempts, waitedMs, workedMs, errorCode, errorMessage }
}

function spreadOf(handlings: readonly FlowHandling[], read: (handling: FlowHandling) => number | null): Spread | null {
  const durations = durationsOf(handlings, read).sort()
  const [leastMs] = durations
  if (leastMs === undefined) return null
  const middle = Math.floor(durations.length / 2)
  const upper = durations[middle] ?? leastMs
  return {
    leastMs,
    medianMs: durations.length % 2 === 1 ? upper : ((durations[middle - 1] ?? upper) + upper) / 2,
    mostMs: durations.at(-1) ?? leastMs,
    totalMs: durations.reduce((sum, ms) => sum + ms, 0),
  }
}

function durationsOf(
  handlings: readonly FlowHandling[],
  read: (handling: FlowHandling) => number | null,
): Float64Array {
  const durations = new Float64Array(handlings.length)
  let count = 0
  for (const handling of handlings) {
    const durationMs = read(handling)
    if (durationMs !== null) durations[count++] = durationMs
  }
  return durations.subarray(0, count)
}

/** Not Math.min(...): a flow may have more members than a call may have arguments. */
function rangeOf<T>(
  items: readonly T[],
  read: (item: T) => number | null,
): { least: number | null; most: number | null } {
  let least: number | null = null
  let most: number | null = null
  for (const item of items) {
    const value = read(item)
    if (value === null) continue
    if (least === null || value < least) least = value
    if (most === null || value > most) most = value
  }
  return { least, most }
}

function sumOf<T>(items: readonly T[], read: (item: T) => number): number {
  let sum = 0
  for (const item of items) sum += read(item)
  return sum
}

function mostFirst(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
}
