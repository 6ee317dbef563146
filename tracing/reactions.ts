/** Which agent owes an end to which event. Every event meets every agent that subscribes to its topic, heard of or not. */
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import { firstPosition } from './event-drafts.ts'
import { added, type EventDraft, type HandlingDraft } from './flow-drafts.ts'
import type { HandlingDrafts } from './handling-drafts.ts'
import { hasEnded } from './resolve-handling.ts'
import type { Subscriptions } from './subscriptions.ts'

/** One agent's duty to end with one event. */
export interface Reaction {
  readonly event: EventDraft
  readonly handling: HandlingDraft
  /** It came too late for a join, which is its end. */
  readonly isLate: boolean
}

/** All reactions that the events of a flow ask for. A handling that nobody has told of yet is added to the drafts. */
export function expectReactions(
  events: readonly EventDraft[],
  drafts: HandlingDrafts,
  subscriptions: Subscriptions,
): readonly Reaction[] {
  const reactions: Reaction[] = []
  const told = new ToldOfJoins()
  for (const event of events) {
    for (const { agent, isJoin } of subscriptions.to(event.topic, firstPosition(event))) {
      const joinPlace = drafts.joinPlaceOf(agent)
      const join = drafts.find(agent, joinPlace)
      // A member that could not be read has a handling of its own.
      const goesToJoin = (isJoin && drafts.find(agent, event) === undefined) || event === joinPlace
      const isLate = join !== undefined && told.of(join).late.has(event.id)
      const handling = drafts.of(agent, event, goesToJoin)
      const fires = handling === join ? told.of(join).fires : handling.facts.some(firesJoin)
      if (!isLate && !fires) handling.reachedBy = added(handling.reachedBy, event)
      reactions.push({ event, handling, isLate })
    }
  }
  return reactions
}

/** How many reactions are still owed; each event is told by whom. An event that a fired join does not name, and has not called late, is owed an end. */
export function awaitReactions(reactions: readonly Reaction[]): number {
  let owed = 0
  const ends = new Ends()
  for (const { event, handling, isLate } of reactions) {
    if (isLate || ends.has(handling, event)) continue
    event.awaiting = added(event.awaiting, handling.agent)
    owed++
  }
  return owed
}

/** More inputs than these are looked up, not looked through. */
const FEW = 8

/** Which handlings have ended with which events. */
class Ends {
  readonly #many = new Map<HandlingDraft, ReadonlySet<EventDraft>>()

  has(handling: HandlingDraft, event: EventDraft): boolean {
    const { resolved, inputs } = handling
    if (resolved === null || !hasEnded(resolved.status)) return false
    if (inputs.length <= FEW) return inputs.includes(event)
    let known = this.#many.get(handling)
    if (known === undefined) this.#many.set(handling, (known = new Set(inputs)))
    return known.has(event)
  }
}

interface Told {
  readonly late: ReadonlySet<Uuid>
  readonly fires: boolean
}

/** What the facts of joins say of their members; asked for every event of the flow, so it is read from them once. */
class ToldOfJoins {
  readonly #known = new Map<HandlingDraft, Told>()

  of(join: HandlingDraft): Told {
    let told = this.#known.get(join)
    if (told === undefined) {
      const late = join.facts.filter((fact) => fact.outcome === 'late').flatMap((fact) => fact.inputs)
      told = { late: new Set(late.map((input) => input.eventId)), fires: join.facts.some(firesJoin) }
      this.#known.set(join, told)
    }
    return told
  }
}

function firesJoin({ outcome }: Fact): boolean {
  return outcome === 'completed' || outcome === 'rejected' || outcome === 'dead-lettered'
}
