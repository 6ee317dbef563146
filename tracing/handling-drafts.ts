/** Sorts facts by the handling they tell of. Facts may come in any order, more than once, and not at all. */
import type { Fact, FactOutcome } from '../contracts/fact.ts'
import { joinHandlingId, type Uuid } from '../contracts/ids.ts'
import type { Subscriptions } from './subscriptions.ts'

/** A handling under construction. */
export interface HandlingDraft {
  readonly key: string
  readonly agent: string
  readonly handlingId: Uuid
  readonly isJoin: boolean
  /** Without repetitions, in an order that depends on nothing but the facts. */
  readonly facts: Fact[]
  /** Events that reached it: consumed, recorded as members, or subscribed to and not yet heard of. */
  readonly inputs: Set<Uuid>
  /** Events that name it as their origin. */
  readonly outputs: Set<Uuid>
}

/** Tell of a member of a join, whatever handling id they carry. */
const MEMBER_OUTCOMES: ReadonlySet<FactOutcome> = new Set(['waiting', 'late'])

/** All handlings of one flow. */
export class HandlingDrafts {
  readonly #byAgent = new Map<string, Map<Uuid, HandlingDraft>>()
  readonly #byFact = new Map<Fact, HandlingDraft>()
  readonly #flowId: Uuid
  readonly #joinAgents: Set<string>
  readonly #joinIds = new Map<string, Uuid>()

  /** Takes facts as {@link distinctFacts} gives them. */
  constructor(flowId: Uuid, facts: readonly Fact[], subscriptions: Subscriptions) {
    this.#flowId = flowId
    this.#joinAgents = joinAgentsOf(facts)
    for (const fact of facts) if (subscriptions.of(fact.agent)?.isJoin === true) this.#joinAgents.add(fact.agent)
    // Duplicates last: whose copy they are depends on what other facts tell.
    for (const fact of facts) if (fact.outcome !== 'duplicate') this.#add(fact)
    for (const fact of facts) if (fact.outcome === 'duplicate') this.#add(fact)
  }

  /** The handling of an event by an agent; made when it is new. */
  of(agent: string, handledId: Uuid, isJoin = this.#joinAgents.has(agent)): HandlingDraft {
    return this.#get(agent, isJoin ? this.joinIdOf(agent) : handledId, isJoin)
  }

  find(agent: string, handlingId: Uuid): HandlingDraft | undefined {
    return this.#byAgent.get(agent)?.get(handlingId)
  }

  /** Id of the one handling that this agent would have as a join. Asked for every event, so hashed once. */
  joinIdOf(agent: string): Uuid {
    let id = this.#joinIds.get(agent)
    if (id === undefined) this.#joinIds.set(agent, (id = joinHandlingId(agent, this.#flowId)))
    return id
  }

  all(): readonly HandlingDraft[] {
    return [...this.#byAgent.values()].flatMap((own) => [...own.values()])
  }

  /** Key of the handling that a fact tells of. */
  keyOf(fact: Fact): string {
    return (this.#byFact.get(fact) ?? this.#draftOf(fact)).key
  }

  #add(fact: Fact): void {
    const draft = this.#draftOf(fact)
    draft.facts.push(fact)
    this.#byFact.set(fact, draft)
    if (fact.outcome !== 'late') for (const input of fact.inputs) draft.inputs.add(input.eventId)
    for (const output of fact.outputs) draft.outputs.add(output.eventId)
  }

  #draftOf(fact: Fact): HandlingDraft {
    const { agent, handlingId } = fact
    const isJoin = this.#joinAgents.has(agent)
    if (isJoin && MEMBER_OUTCOMES.has(fact.outcome)) return this.of(agent, handlingId)
    if (isJoin && fact.outcome === 'duplicate' && this.find(agent, handlingId) === undefined)
      return this.of(agent, handlingId)
    return this.#get(agent, handlingId, isJoin && handlingId === this.joinIdOf(agent))
  }

  #get(agent: string, handlingId: Uuid, isJoin: boolean): HandlingDraft {
    let own = this.#byAgent.get(agent)
    if (own === undefined) this.#byAgent.set(agent, (own = new Map<Uuid, HandlingDraft>()))
    let draft = own.get(handlingId)
    if (draft === undefined) {
      const key = `${agent}/${handlingId}`
      draft = { key, agent, handlingId, isJoin, facts: [], inputs: new Set(), outputs: new Set() }
      own.set(handlingId, draft)
    }
    return draft
  }
}

/**
 * Facts without repetitions (a fact may be appended twice), those of one handling together and sorted by their content. Most
 * handlings have one fact, so contents are compared only where there are several.
 */
export function distinctFacts(facts: readonly Fact[]): readonly Fact[] {
  const byHandling = new Map<Uuid, Fact | Fact[]>()
  for (const fact of facts) {
    const others = byHandling.get(fact.handlingId)
    if (others === undefined) byHandling.set(fact.handlingId, fact)
    else if (Array.isArray(others)) others.push(fact)
    else byHandling.set(fact.handlingId, [others, fact])
  }
  const distinct: Fact[] = []
  for (const own of byHandling.values()) {
    if (Array.isArray(own)) for (const fact of sortDistinct(own)) distinct.push(fact)
    else distinct.push(own)
  }
  return distinct
}

function sortDistinct(facts: readonly Fact[]): readonly Fact[] {
  const byContent = new Map(facts.map((fact) => [contentOf(fact), fact]))
  return [...byContent].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact)
}

function contentOf(fact: Fact): string {
  const places = [...fact.inputs, ...fact.outputs].map((event) => `${event.eventId}@${event.partition}/${event.offset}`)
  const { agent, handlingId, outcome, attempt, instance, startedAtMs, endedAtMs } = fact
  return JSON.stringify([agent, handlingId, endedAtMs, startedAtMs, attempt, outcome, instance, places])
}

function joinAgentsOf(facts: readonly Fact[]): Set<string> {
  const isJoin = (fact: Fact): boolean => MEMBER_OUTCOMES.has(fact.outcome) || fact.inputs.length > 1
  return new Set(facts.filter(isJoin).map((fact) => fact.agent))
}
