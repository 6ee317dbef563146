/**
 * Rebuilds one flow from what is on the log. A pure, order-free fold: the same facts and records in any order, some of them twice,
 * give the same graph; whatever is missing is named instead of guessed.
 */
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import type { Manifest } from '../contracts/manifest.ts'
import { assembleGraph } from './assemble-graph.ts'
import { EventDrafts, type SeenEvent } from './event-drafts.ts'
import type { FlowGraph, FlowHandling } from './flow-graph.ts'
import { distinctFacts, HandlingDrafts } from './handling-drafts.ts'
import { expectReactions } from './reactions.ts'
import { hasEnded, resolveHandling } from './resolve-handling.ts'
import { Subscriptions } from './subscriptions.ts'

/** What a flow is rebuilt from. */
export interface FlowSources {
  readonly flowId: Uuid
  /** Facts of this flow; others are ignored. */
  readonly facts: readonly Fact[]
  /** Records met on the topics themselves. Absent: the topics were not read. */
  readonly events?: readonly SeenEvent[]
  /** All that is known of agents, stopped instances included. */
  readonly manifests: readonly Manifest[] | Subscriptions
  /** Facts of this flow that could not be decoded. @default 0 */
  readonly unreadableFacts?: number
}

/** The graph of a flow. Without any fact or event of the flow it is empty and `pending`. */
export function reconstructFlow(sources: FlowSources): FlowGraph {
  const { flowId, manifests } = sources
  const facts = distinctFacts(sources.facts.filter((fact) => fact.flowId === flowId))
  const seen = sources.events?.filter((event) => event.envelope.flowId === flowId)
  const subscriptions = manifests instanceof Subscriptions ? manifests : new Subscriptions(manifests)
  const drafts = new HandlingDrafts(
    flowId,
    facts.filter((fact) => fact.outcome !== 'published'),
    subscriptions,
  )
  const events = collectEvents(facts, seen ?? [], drafts)
  inferPublishers(events, drafts)
  const reactions = expectReactions(events, drafts, subscriptions)
  const handlings = markStuck(drafts.all().map((draft) => resolveHandling(draft, events, subscriptions)))
  return assembleGraph({
    flowId,
    facts,
    seen,
    drafts: events,
    handlings,
    reactions,
    subscriptionsKnown: !subscriptions.isEmpty,
    unreadableFacts: sources.unreadableFacts ?? 0,
  })
}

function collectEvents(facts: readonly Fact[], seen: readonly SeenEvent[], drafts: HandlingDrafts): EventDrafts {
  const events = new EventDrafts()
  for (const fact of facts) events.addFact(fact, fact.outcome === 'published' ? null : drafts.keyOf(fact))
  for (const event of seen) events.addSeen(event)
  // A cause that nothing else tells of is still an event.
  for (const event of [...events.byId.values()]) for (const cause of event.causes) events.get(cause)
  return events
}

/** An event tells by itself who published it and why, so a missing fact does not break the graph. */
function inferPublishers(events: EventDrafts, drafts: HandlingDrafts): void {
  for (const event of events.byId.values()) {
    const [cause] = event.causes
    if (event.publishedBy !== null || cause === undefined || event.source === null) continue
    const handling = drafts.of(event.source, cause, event.causes.length > 1 || undefined)
    for (const id of event.causes) handling.inputs.add(id)
    handling.outputs.add(event.id)
    event.publishedBy = handling.key
  }
}

/** A waiting join is stuck when nothing under way can bring what it misses. */
function markStuck(handlings: readonly FlowHandling[]): readonly FlowHandling[] {
  const waitsForJoin = (handling: FlowHandling): boolean => handling.status === 'waiting' && handling.join !== null
  if (handlings.some((handling) => !hasEnded(handling.status) && !waitsForJoin(handling))) return handlings
  return handlings.map((handling) => (waitsForJoin(handling) ? { ...handling, status: 'stuck' } : handling))
}
