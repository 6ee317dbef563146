/** Which agent owes an end to which event. Every event meets every agent that subscribes to its topic, heard of or not. */
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
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
  events: EventDrafts,
  drafts: HandlingDrafts,
  subscriptions: Subscriptions,
): readonly Reaction[] {
  const reactions: Reaction[] = []
  const joinFacts = new JoinFacts()
  for (const event of events.byId.values()) {
    for (const { agent, isJoin } of subscriptions.to(event.topic, firstPosition(event))) {
      const joinId = drafts.joinIdOf(agent)
      // A member that could not be read has a handling of its own.
      const id = isJoin && drafts.find(agent, event.id) === undefined ? joinId : event.id
      const join = drafts.find(agent, joinId)
      const isLate = join !== undefined && joinFacts.of(join).late.has(event.id)
      const handling = drafts.of(agent, id, id === joinId)
      if (!isLate && !joinFacts.of(handling).fires) handling.inputs.add(event.id)
      reactions.push({ eventId: event.id, agent, handlingKey: handling.key, isLate })
    }
  }
  return reactions
}

/** Reactions that are still owed. An event that a fired join does not name, and has not called late, is owed an end. */
export function outstandingReactions(
  reactions: readonly Reaction[],
  handlings: readonly FlowHandling[],
): readonly Reaction[] {
  const endedWith = new Map<string, ReadonlySet<Uuid>>()
  for (const { key, status, inputs } of handlings) {
    if (status === 'completed' || status === 'failed') endedWith.set(key, new Set(inputs))
  }
  return reactions.filter(
    ({ isLate, handlingKey, eventId }) => !isLate && endedWith.get(handlingKey)?.has(eventId) !== true,
  )
}

/** What the facts of a join say of its members; asked for every event of the flow, so it is read from them once. */
class JoinFacts {
  readonly #known = new Map<HandlingDraft, { readonly late: ReadonlySet<Uuid>; readonly fires: boolean }>()

  of(handling: HandlingDraft): { readonly late: ReadonlySet<Uuid>; readonly fires: boolean } {
    let known = this.#known.get(handling)
    if (known === undefined) {
      const late = handling.facts.filter((fact) => fact.outcome === 'late').flatMap((fact) => fact.inputs)
      known = { late: new Set(late.map((input) => input.eventId)), fires: handling.facts.some(firesJoin) }
      this.#known.set(handling, known)
    }
    return known
  }
}

function firesJoin(fact: Fact): boolean {
  return fact.outcome === 'completed' || fact.outcome === 'rejected' || fact.outcome === 'dead-lettered'
}
