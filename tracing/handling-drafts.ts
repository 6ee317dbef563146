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
  readonly byKey = new Map<string, HandlingDraft>()
  readonly #flowId: Uuid
  readonly #joinAgents: Set<string>

  constructor(flowId: Uuid, facts: readonly Fact[], subscriptions: Subscriptions) {
    this.#flowId = flowId
    this.#joinAgents = joinAgentsOf(facts)
    const distinct = distinctFacts(facts)
    for (const fact of distinct) if (subscriptions.of(fact.agent)?.isJoin === true) this.#joinAgents.add(fact.agent)
    // Duplicates last: whose copy they are depends on what other facts tell.
    for (const fact of distinct) if (fact.outcome !== 'duplicate') this.#add(fact)
    for (const fact of distinct) if (fact.outcome === 'duplicate') this.#add(fact)
  }

  /** The handling of an event by an agent; made when it is new. */
  of(agent: string, handledId: Uuid, isJoin = this.#joinAgents.has(agent)): HandlingDraft {
    return this.#get(agent, isJoin ? joinHandlingId(agent, this.#flowId) : handledId, isJoin)
  }

  find(agent: string, handlingId: Uuid): HandlingDraft | undefined {
    return this.byKey.get(`${agent}/${handlingId}`)
  }

  /** Key of the handling that a fact tells of. */
  keyOf(fact: Fact): string {
    return this.#draftOf(fact).key
  }

  #add(fact: Fact): void {
    const draft = this.#draftOf(fact)
    draft.facts.push(fact)
    if (fact.outcome !== 'late') for (const input of fact.inputs) draft.inputs.add(input.eventId)
    for (const output of fact.outputs) draft.outputs.add(output.eventId)
  }

  #draftOf(fact: Fact): HandlingDraft {
    const { agent, handlingId } = fact
    const isJoin = this.#joinAgents.has(agent)
    if (isJoin && MEMBER_OUTCOMES.has(fact.outcome)) return this.of(agent, handlingId)
    if (isJoin && fact.outcome === 'duplicate' && this.find(agent, handlingId) === undefined)
      return this.of(agent, handlingId)
    return this.#get(agent, handlingId, isJoin && handlingId === joinHandlingId(agent, this.#flowId))
  }

  #get(agent: string, handlingId: Uuid, isJoin: boolean): HandlingDraft {
    const key = `${agent}/${handlingId}`
    let draft = this.byKey.get(key)
    if (draft === undefined) {
      draft = { key, agent, handlingId, isJoin, facts: [], inputs: new Set(), outputs: new Set() }
      this.byKey.set(key, draft)
    }
    return draft
  }
}

/** Facts without repetitions (a fact may be appended twice), sorted by their content. */
export function distinctFacts(facts: readonly Fact[]): readonly Fact[] {
  const byContent = new Map<string, Fact>()
  for (const fact of facts) byContent.set(contentOf(fact), fact)
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
