/** I1: every flow that was begun is there, every event has ended at every agent that reads it, and has led to what it must lead to, once. */
import {
  firstOfEachId,
  type CheckedAgent,
  type Choreography,
  type History,
  type OutsideCall,
  type Violation,
} from '../history.ts'

const ENDS: ReadonlySet<string> = new Set(['completed', 'rejected', 'dead-lettered', 'waiting', 'late', 'cancelled'])

const QUARANTINED = 'LABAN_RECORD_QUARANTINED'
/** Three deaths; at the first it may have waited in its process, or have run for so short a time that nobody was told. */
const LEAST_RUNS_CUT = 2

type Topics = ReadonlyMap<
  string,
  readonly { readonly id: string; readonly flowId: string; readonly causes: readonly string[] }[]
>

export function everythingEnds({ agents, firstTopic, flows }: Choreography, history: History): Violation[] {
  const byTopic: Topics = Map.groupBy(firstOfEachId(history.events), ({ topic }) => topic)
  const begun = byTopic.get(firstTopic)?.length ?? 0
  return [
    ...(begun === flows ? [] : [lost(`${flows} flows were begun, ${firstTopic} holds ${begun}`)]),
    ...givenUp(history),
    ...agents.flatMap((agent) => [...withoutEnd(agent, byTopic, history), ...withoutOutput(agent, byTopic)]),
    ...toldButAbsent(history),
  ]
}

/**
 * What costs three processes is put aside, and a person sends it once more. That is an end like others when it did cost three, and when
 * it has succeeded since.
 */
function givenUp({ deadLetters, calls, interruptions }: History): Violation[] {
  const resolved = new Set(deadLetters.filter(({ mark }) => mark === 'resolved').map(({ id }) => id))
  return deadLetters.flatMap(({ agent, id, reason, mark }) => {
    if (mark !== '') return []
    if (reason !== QUARANTINED) return [lost(`${agent} gave up ${id}: it is a dead letter for ${reason}`)]
    const begins = calls.filter(({ what, eventId }) => what === 'begin' && eventId === id)
    const isCut = ({ pid, atMs }: OutsideCall, nextAtMs: number): boolean =>
      interruptions.some((cut) => cut.pid === pid && cut.fromMs <= nextAtMs && cut.untilMs >= atMs)
    const cost = begins.filter((call, index) => isCut(call, begins[index + 1]?.atMs ?? Infinity)).length
    if (cost < LEAST_RUNS_CUT) return [lost(`${agent} put ${id} aside, which had cost ${cost} processes`)]
    return resolved.has(id) ? [] : [lost(`${agent} put ${id} aside, and it has not succeeded since`)]
  })
}

function lost(problem: string): Violation {
  return { rule: 'I1', kind: 'lost', problem }
}

function doubled(problem: string): Violation {
  return { rule: 'I1', kind: 'doubled', problem }
}

function withoutEnd(agent: CheckedAgent, byTopic: Topics, { facts }: History): Violation[] {
  const ended = new Set(
    facts.filter((fact) => fact.agent === agent.name && ENDS.has(fact.outcome)).flatMap(({ inputs }) => inputs),
  )
  return agent.topics
    .flatMap((topic) => byTopic.get(topic) ?? [])
    .filter(({ id }) => !ended.has(id))
    .map(({ id, flowId }) => lost(`no fact says how ${agent.name} ended ${id} of flow ${flowId}`))
}

/** What an agent owes is derived from what it reads: one handling per event, or per flow with all members for a join. */
function withoutOutput(agent: CheckedAgent, byTopic: Topics): Violation[] {
  const owed = agent.isJoin ? completeFlows(agent, byTopic) : new Set(inputsOf(agent, byTopic).map(({ id }) => id))
  const ownerOf = ({ flowId, causes }: { flowId: string; causes: readonly string[] }): string =>
    agent.isJoin ? flowId : (causes[0] ?? 'nothing')
  const count = (topics: readonly string[]): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>()
    for (const event of topics.flatMap((topic) => byTopic.get(topic) ?? []))
      counts.set(ownerOf(event), (counts.get(ownerOf(event)) ?? 0) + 1)
    return counts
  }
  const rules = [
    ...agent.always.map((topic) => ({ topics: [topic], least: 1 })),
    ...(agent.oneOf.length === 0 ? [] : [{ topics: agent.oneOf, least: 1 }]),
    ...agent.maybe.map((topic) => ({ topics: [topic], least: 0 })),
  ]
  return rules.flatMap(({ topics, least }) => {
    const counts = count(topics)
    const what = topics.join(' or ')
    const missing = [...owed].filter((owner) => (counts.get(owner) ?? 0) < least)
    const repeated = [...counts].filter(([, found]) => found > 1)
    const strange = [...counts.keys()].filter((owner) => !owed.has(owner))
    return [
      ...missing.map((owner) => lost(`${agent.name} said no ${what} for ${owner}`)),
      ...repeated.map(([owner, found]) => doubled(`${agent.name} said ${found} times ${what} for ${owner}`)),
      ...strange.map((owner) => doubled(`${agent.name} said ${what} for ${owner}, which it cannot have handled`)),
    ]
  })
}

function inputsOf(agent: CheckedAgent, byTopic: Topics): readonly { readonly id: string }[] {
  return agent.topics.flatMap((topic) => byTopic.get(topic) ?? [])
}

function completeFlows(agent: CheckedAgent, byTopic: Topics): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = agent.topics.map(
    (topic) => new Set((byTopic.get(topic) ?? []).map(({ flowId }) => flowId)),
  )
  return new Set([...first].filter((flowId) => others.every((flows) => flows.has(flowId))))
}

function toldButAbsent({ events, facts }: History): Violation[] {
  const known = new Set(events.map(({ id }) => id))
  return facts.flatMap(({ agent, outputs, handlingId }) =>
    outputs
      .filter((id) => !known.has(id))
      .map((id) => lost(`${agent} says that ${handlingId} led to ${id}, which is not on the log`)),
  )
}
