/** Sorts facts by the handling they tell of. Facts may come in any order, more than once, and not at all. */
import type { Fact, FactOutcome } from '../contracts/fact.ts'
import { joinHandlingId, type Uuid } from '../contracts/ids.ts'
import type { EventDrafts } from './event-drafts.ts'
import { added, HandlingDraft, type EventDraft } from './flow-drafts.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Tell of a member of a join, whatever handling id they carry. */
const MEMBER_OUTCOMES: ReadonlySet<FactOutcome> = new Set(['waiting', 'late'])

/** All handlings of one flow. */
export class HandlingDrafts {
  readonly #flowId: Uuid
  readonly #events: EventDrafts
  readonly #joinAgents: Set<string>
  readonly #joinPlaces = new Map<string, EventDraft>()
  readonly #all: HandlingDraft[] = []

  /** Takes the facts of the flow, repetitions too, and tells the events what they say of them. */
  constructor(flowId: Uuid, facts: readonly Fact[], events: EventDrafts, subscriptions: Subscriptions) {
    this.#flowId = flowId
    this.#events = events
    this.#joinAgents = joinAgentsOf(facts, subscriptions)
    const duplicates: Fact[] = []
    for (const fact of facts) {
      // Last: whose copy they are depends on what other facts tell.
      if (fact.outcome === 'duplicate') duplicates.push(fact)
      else this.#add(fact)
    }
    for (const fact of duplicates) this.#add(fact)
    for (const draft of this.#all) if (draft.facts.length > 1) draft.facts = distinctFacts(draft.facts)
  }

  /** The handling of an event by an agent; made when it is new. */
  of(agent: string, handled: EventDraft, isJoin = this.#joinAgents.has(agent)): HandlingDraft {
    return this.#at(agent, isJoin ? this.joinPlaceOf(agent) : handled, isJoin)
  }

  /** The handling of an agent that carries the id of this place. */
  find(agent: string, place: EventDraft): HandlingDraft | undefined {
    for (let draft = place.handlings; draft !== null; draft = draft.next) if (draft.agent === agent) return draft
    return undefined
  }

  /** Where the one handling is that this agent would have as a join. Asked for every event, so its id is hashed once. */
  joinPlaceOf(agent: string): EventDraft {
    let place = this.#joinPlaces.get(agent)
    if (place === undefined) {
      place = this.#events.at(joinHandlingId(agent, this.#flowId))
      this.#joinPlaces.set(agent, place)
    }
    return place
  }

  all(): readonly HandlingDraft[] {
    return this.#all
  }

  #add(fact: Fact): void {
    if (fact.outcome === 'published') return this.#events.addFact(fact, null)
    const draft = this.#draftOf(fact)
    draft.facts = added(draft.facts, fact)
    this.#events.addFact(fact, draft)
  }

  #draftOf({ agent, handlingId, outcome }: Fact): HandlingDraft {
    const place = this.#events.at(handlingId)
    if (!this.#joinAgents.has(agent)) return this.#at(agent, place, false)
    if (MEMBER_OUTCOMES.has(outcome)) return this.of(agent, place)
    if (outcome === 'duplicate' && this.find(agent, place) === undefined) return this.of(agent, place)
    return this.#at(agent, place, place === this.joinPlaceOf(agent))
  }

  #at(agent: string, place: EventDraft, isJoin: boolean): HandlingDraft {
    const known = this.find(agent, place)
    if (known !== undefined) return known
    const draft = new HandlingDraft(agent, place, isJoin)
    place.handlings = draft
    this.#all.push(draft)
    return draft
  }
}

function joinAgentsOf(facts: readonly Fact[], subscriptions: Subscriptions): Set<string> {
  const agents = new Set<string>()
  for (const { agent, outcome, inputs } of facts) {
    if (outcome === 'published') continue
    const isMember = inputs.length > 1 || MEMBER_OUTCOMES.has(outcome)
    if (isMember || subscriptions.of(agent)?.isJoin === true) agents.add(agent)
  }
  return agents
}

/** Facts of one handling without repetitions (a fact may be appended twice), sorted by their content. */
function distinctFacts(facts: readonly Fact[]): readonly Fact[] {
  const byContent = new Map(facts.map((fact) => [contentOf(fact), fact]))
  return [...byContent].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact)
}

function contentOf(fact: Fact): string {
  const places = [...fact.inputs, ...fact.outputs].map((event) => `${event.eventId}@${event.partition}/${event.offset}`)
  const { handlingId, outcome, attempt, instance, startedAtMs, endedAtMs } = fact
  return JSON.stringify([handlingId, endedAtMs, startedAtMs, attempt, outcome, instance, places])
}
