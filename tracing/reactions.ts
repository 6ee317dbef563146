/** Which agent owes an end to which event. Every event meets every agent that subscribes to its topic, heard of or not. */
import type { Fact } from '../contracts/fact.ts'
import { joinHandlingId, type Uuid } from '../contracts/ids.ts'
import { firstPosition, type EventDrafts } from './event-drafts.ts'
import type { FlowHandling } from './flow-graph.ts'
import type { HandlingDraft, HandlingDrafts } from './handling-drafts.ts'
import type { Subscriptions } from './subscriptions.ts'

/** One agent's duty to end with one event. */
export interface Reaction {
  readonly eventId: Uuid
  readonly agent: string
  readonly handlingKey: string
  /** It came too late for a join, which is its end. */
  readonly isLate: boolean
}

/** All reactions that the events of a flow ask for. A handling that nobody has told of yet is added to the drafts. */
export function expectReactions(
  flowId: Uuid,
  events: EventDrafts,
  drafts: HandlingDrafts,
  subscriptions: Subscriptions,
): readonly Reaction[] {
  const reactions: Reaction[] = []
  for (const event of events.byId.values()) {
    for (const { agent, isJoin } of subscriptions.to(event.topic, firstPosition(event))) {
      const joinId = joinHandlingId(agent, flowId)
      // A member that could not be read has a handling of its own.
      const id = isJoin && drafts.find(agent, event.id) === undefined ? joinId : event.id
      const isLate = isLateAt(drafts.find(agent, joinId), event.id)
      const handling = drafts.of(agent, id, id === joinId)
      if (!isLate && !handling.facts.some(firesJoin)) handling.inputs.add(event.id)
      reactions.push({ eventId: event.id, agent, handlingKey: handling.key, isLate })
    }
  }
  return reactions
}

/** True when the duty is done. An event that a fired join does not name, and has not called late, is still owed an end. */
export function isOver(reaction: Reaction, handling: FlowHandling | undefined): boolean {
  if (reaction.isLate) return true
  const hasEnded = handling?.status === 'completed' || handling?.status === 'failed'
  return hasEnded && handling.inputs.includes(reaction.eventId)
}

function isLateAt(join: HandlingDraft | undefined, eventId: Uuid): boolean {
  return (
    join?.facts.some((fact) => fact.outcome === 'late' && fact.inputs.some((input) => input.eventId === eventId)) ===
    true
  )
}

function firesJoin(fact: Fact): boolean {
  return fact.outcome === 'completed' || fact.outcome === 'rejected' || fact.outcome === 'dead-lettered'
}
