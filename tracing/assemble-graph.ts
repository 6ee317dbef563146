/** Puts a graph together once every event and handling is known: order, edges, times, status and completeness. */
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import { sortEvents, sortHandlings } from './causal-order.ts'
import { judgeCompleteness } from './completeness.ts'
import { criticalPathOf } from './critical-path.ts'
import { firstPosition, recordedAt, type SeenEvent } from './event-drafts.ts'
import type { EventDraft, HandlingDraft } from './flow-drafts.ts'
import {
  FLOW_GRAPH_FORMAT_VERSION,
  type FlowEdge,
  type FlowEvent,
  type FlowGraph,
  type FlowHandling,
  type FlowStatus,
} from './flow-graph.ts'
import { parseTraceparent } from './propagation.ts'

/** What a graph is put together from. */
export interface GraphParts {
  readonly flowId: Uuid
  readonly facts: readonly Fact[]
  readonly seen: readonly SeenEvent[] | undefined
  readonly events: readonly EventDraft[]
  /** All of them resolved. */
  readonly handlings: readonly HandlingDraft[]
  readonly reactions: { readonly expected: number; readonly owed: number }
  readonly subscriptionsKnown: boolean
  readonly unreadableFacts: number
}

/** The graph, with everything in causal order. */
export function assembleGraph(parts: GraphParts): FlowGraph {
  const { flowId, facts, seen, reactions, subscriptionsKnown, unreadableFacts } = parts
  const events = sortEvents(parts.events).map(eventOf)
  const drafts = sortHandlings(parts.handlings)
  const handlings = drafts.flatMap(({ resolved }) => resolved ?? [])
  const { startedAtMs, lastSeenAtMs } = spanOf(events, handlings, facts)
  let edges: readonly FlowEdge[] | undefined
  return {
    formatVersion: FLOW_GRAPH_FORMAT_VERSION,
    flowId,
    status: flowStatus(handlings, events.length > 0 && subscriptionsKnown),
    traceId: traceIdOf(facts, seen ?? []),
    startedAtMs,
    lastSeenAtMs,
    durationMs: startedAtMs === null || lastSeenAtMs === null ? null : Math.max(0, lastSeenAtMs - startedAtMs),
    events,
    handlings,
    // Made when somebody asks: two for every event of a large flow, and most only count or group.
    get edges() {
      return (edges ??= edgesOf(handlings))
    },
    criticalPath: criticalPathOf(drafts),
    completeness: judgeCompleteness({
      events: parts.events,
      handlings,
      facts,
      topicsRead: seen !== undefined,
      subscriptionsKnown,
      unreadableFacts,
      reactions: { expected: reactions.expected, ended: reactions.expected - reactions.owed },
    }),
  }
}

function eventOf(draft: EventDraft): FlowEvent {
  const { id, topic, key, hop, source } = draft
  return {
    id,
    topic,
    position: firstPosition(draft),
    key,
    hop,
    source,
    causes: draft.causes.ids,
    recordedAtMs: recordedAt(draft),
    publishedBy: draft.publishedBy === null ? null : draft.publishedBy.key,
    copies: draft.moreCopies.length,
    awaiting: draft.awaiting,
  }
}

function edgesOf(handlings: readonly FlowHandling[]): readonly FlowEdge[] {
  const edges: FlowEdge[] = []
  for (const { key, inputs, outputs, join } of handlings) {
    for (const id of inputs) edges.push({ from: id, to: key, kind: 'consumed' })
    for (const id of join?.late ?? []) edges.push({ from: id, to: key, kind: 'late' })
    for (const id of outputs) edges.push({ from: key, to: id, kind: 'published' })
  }
  return edges
}

/** The worst news first; a flow in which something runs is processing even when some of it has not begun. */
const NEWS_ORDER: readonly FlowStatus[] = ['failed', 'processing', 'pending', 'waiting', 'stuck']

function flowStatus(handlings: readonly FlowHandling[], isSettled: boolean): FlowStatus {
  const worst = NEWS_ORDER.find((status) => handlings.some((handling) => handling.status === status))
  if (worst === undefined) return handlings.length > 0 || isSettled ? 'completed' : 'pending'
  return worst === 'pending' && handlings.some((handling) => handling.attempts > 0) ? 'processing' : worst
}

function spanOf(
  events: readonly FlowEvent[],
  handlings: readonly FlowHandling[],
  facts: readonly Fact[],
): { startedAtMs: number | null; lastSeenAtMs: number | null } {
  let first = Infinity
  let last = -Infinity
  for (const { hop, recordedAtMs } of events) {
    if (recordedAtMs === null) continue
    if (hop === 0 && recordedAtMs < first) first = recordedAtMs
    if (recordedAtMs > last) last = recordedAtMs
  }
  for (const { endedAtMs } of handlings) if (endedAtMs !== null && endedAtMs > last) last = endedAtMs
  for (const { outcome, startedAtMs } of facts) {
    if (outcome === 'published' && startedAtMs < first) first = startedAtMs
  }
  const startedAtMs = first === Infinity ? null : first
  return { startedAtMs, lastSeenAtMs: last === -Infinity ? startedAtMs : last }
}

/** The lowest of those that facts tell, else of those that events carry. */
function traceIdOf(facts: readonly Fact[], seen: readonly SeenEvent[]): string | null {
  let lowest: string | null = null
  for (const { traceId } of facts) if (traceId !== null && (lowest === null || traceId < lowest)) lowest = traceId
  if (lowest !== null) return lowest
  const ofEvents = seen.flatMap(({ envelope }) => parseTraceparent(envelope.traceparent)?.traceId ?? [])
  return ofEvents.sort()[0] ?? null
}
