/**
 * Rebuilds one flow from what is on the log. A pure, order-free fold: the same facts and records in any order, some of them twice,
 * give the same graph; whatever is missing is named instead of guessed.
 */
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import type { Manifest } from '../contracts/manifest.ts'
import { assembleGraph } from './assemble-graph.ts'
import { EventDrafts, type SeenEvent } from './event-drafts.ts'
import { added, type EventDraft, type HandlingDraft } from './flow-drafts.ts'
import type { FlowGraph, FlowHandling } from './flow-graph.ts'
import { HandlingDrafts } from './handling-drafts.ts'
import { awaitReactions, expectReactions } from './reactions.ts'
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
  const facts = sources.facts.filter((fact) => fact.flowId === flowId)
  const seen = sources.events?.filter((event) => event.envelope.flowId === flowId)
  const subscriptions = manifests instanceof Subscriptions ? manifests : new Subscriptions(manifests)
  const drafts = new EventDrafts()
  const handlings = new HandlingDrafts(flowId, facts, drafts, subscriptions)
  for (const event of seen ?? []) drafts.addSeen(event)
  const events = drafts.all()
  inferPublishers(events, handlings)
  const reactions = expectReactions(events, handlings, subscriptions)
  const all = handlings.all()
  for (const draft of all) draft.resolved = resolveHandling(draft, drafts, subscriptions)
  markStuck(all)
  return assembleGraph({
    flowId,
    facts,
    seen,
    events,
    handlings: all,
    reactions: { expected: reactions.length, owed: awaitReactions(reactions) },
    subscriptionsKnown: !subscriptions.isEmpty,
    unreadableFacts: sources.unreadableFacts ?? 0,
  })
}

/** An event tells by itself who published it and why, so a missing fact does not break the graph. */
function inferPublishers(events: readonly EventDraft[], handlings: HandlingDrafts): void {
  for (const event of events) {
    const { source, causes } = event
    const [cause] = causes.events
    if (event.publishedBy !== null || cause === undefined || source === null) continue
    const handling = handlings.of(source, cause, causes.events.length > 1 || undefined)
    for (const each of causes.events) handling.reachedBy = added(handling.reachedBy, each)
    handling.claimedBy = added(handling.claimedBy, event)
    event.publishedBy = handling
  }
}

/** A waiting join is stuck when nothing under way can bring what it misses. */
function markStuck(handlings: readonly HandlingDraft[]): void {
  for (const { resolved } of handlings) {
    if (resolved !== null && !hasEnded(resolved.status) && !waitsForJoin(resolved)) return
  }
  for (const draft of handlings) {
    if (draft.resolved !== null && waitsForJoin(draft.resolved)) draft.resolved = { ...draft.resolved, status: 'stuck' }
  }
}

function waitsForJoin({ status, join }: FlowHandling): boolean {
  return status === 'waiting' && join !== null
}
