/** Puts a graph together once every event and handling is known: order, edges, times, status and completeness. */
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import { sortEvents, sortHandlings } from './causal-order.ts'
import { judgeCompleteness } from './completeness.ts'
import { criticalPathOf } from './critical-path.ts'
import { firstPosition, type EventDraft, type EventDrafts, type SeenEvent } from './event-drafts.ts'
import {
  FLOW_GRAPH_FORMAT_VERSION,
  type FlowEdge,
  type FlowEvent,
  type FlowGraph,
  type FlowHandling,
  type FlowStatus,
} from './flow-graph.ts'
import { largestOf, smallestOf } from './extremes.ts'
import { parseTraceparent } from './propagation.ts'
import { outstandingReactions, type Reaction } from './reactions.ts'
import { recordedAt } from './resolve-handling.ts'

/** What a graph is put together from. */
export interface GraphParts {
  readonly flowId: Uuid
  readonly facts: readonly Fact[]
  readonly seen: readonly SeenEvent[] | undefined
  readonly drafts: EventDrafts
  readonly handlings: readonly FlowHandling[]
  readonly reactions: readonly Reaction[]
  readonly subscriptionsKnown: boolean
  readonly unreadableFacts: number
}

/** The graph, with everything in causal order. */
export function assembleGraph(parts: GraphParts): FlowGraph {
  const { flowId, facts, seen, reactions } = parts
  const outstanding = outstandingReactions(reactions, parts.handlings)
  const awaiting = Map.groupBy(outstanding, (reaction) => reaction.eventId)
  const agentsOf = (id: Uuid): readonly string[] => (awaiting.get(id) ?? []).map((reaction) => reaction.agent)
  const events = sortEvents([...parts.drafts.byId.values()].map((draft) => eventOf(draft, agentsOf(draft.id))))
  const eventsById = new Map(events.map((event) => [event.id, event]))
  const handlings = sortHandlings(parts.handlings, events)
  const { startedAtMs, lastSeenAtMs } = spanOf(events, handlings, facts)
  return {
    formatVersion: FLOW_GRAPH_FORMAT_VERSION,
    flowId,
    status: flowStatus(handlings, events.length > 0 && parts.subscriptionsKnown),
    traceId: traceIdOf(facts, seen ?? []),
    startedAtMs,
    lastSeenAtMs,
    durationMs: startedAtMs === null || lastSeenAtMs === null ? null : Math.max(0, lastSeenAtMs - startedAtMs),
    events,
    handlings,
    edges: edgesOf(handlings),
    criticalPath: criticalPathOf(eventsById, handlings),
    completeness: judgeCompleteness({
      events: parts.drafts,
      handlings,
      facts,
      topicsRead: seen !== undefined,
      subscriptionsKnown: parts.subscriptionsKnown,
      unreadableFacts: parts.unreadableFacts,
      reactions: { expected: reactions.length, ended: reactions.length - outstanding.length },
    }),
  }
}

function eventOf(draft: EventDraft, awaiting: readonly string[]): FlowEvent {
  const { id, topic, key, hop, source, causes, publishedBy } = draft
  const position = firstPosition(draft)
  const copies = Math.max(0, draft.copies.length - 1)
  return {
    id,
    topic,
    position,
    key,
    hop,
    source,
    causes,
    recordedAtMs: recordedAt(draft),
    publishedBy,
    copies,
    awaiting,
  }
}

function edgesOf(handlings: readonly FlowHandling[]): readonly FlowEdge[] {
  return handlings.flatMap(({ key, inputs, outputs, join }) => [
    ...inputs.map((id): FlowEdge => ({ from: id, to: key, kind: 'consumed' })),
    ...(join?.late ?? []).map((id): FlowEdge => ({ from: id, to: key, kind: 'late' })),
    ...outputs.map((id): FlowEdge => ({ from: key, to: id, kind: 'published' })),
  ])
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
  const published = facts.filter((fact) => fact.outcome === 'published')
  const recorded = events.flatMap((event) => event.recordedAtMs ?? [])
  const first = events.flatMap((event) => (event.hop === 0 ? (event.recordedAtMs ?? []) : []))
  const begins = [...first, ...published.map((fact) => fact.startedAtMs)]
  const ends = [...recorded, ...handlings.flatMap((handling) => handling.endedAtMs ?? [])]
  const startedAtMs = smallestOf(begins)
  return { startedAtMs, lastSeenAtMs: largestOf(ends) ?? startedAtMs }
}

function traceIdOf(facts: readonly Fact[], seen: readonly SeenEvent[]): string | null {
  const ofFacts = facts.flatMap((fact) => fact.traceId ?? [])
  const ofEvents = seen.flatMap(({ envelope }) => parseTraceparent(envelope.traceparent)?.traceId ?? [])
  return ofFacts.sort()[0] ?? ofEvents.sort()[0] ?? null
}
