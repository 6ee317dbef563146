/** I1: every event is accounted for at every agent that reads its topic, and every event that an agent said belongs to a handling that ended. */
import { joinHandlingId } from '../../../contracts/ids.ts'
import { isEnd, placeOf, type Finding, type History, type JudgedAgent, type PastEvent } from './history.ts'

/** For a run that has come to rest. */
export function accounted(history: History): Finding[] {
  return [...history.agents.flatMap((agent) => unaccounted(history, agent)), ...orphans(history)]
}

function unaccounted({ events, facts }: History, agent: JudgedAgent): Finding[] {
  const ended = new Set<string>()
  const handled = new Set<string>()
  for (const { fact } of facts) {
    if (fact.agent !== agent.name || !isEnd(fact)) continue
    for (const { eventId } of fact.inputs) ended.add(eventId)
    handled.add(fact.handlingId)
  }
  const read = events.filter(({ topic }) => agent.topics.includes(topic))
  const lost = read.filter(({ envelope }) => !ended.has(envelope.id)).map((event) => neverEnded(agent, event))
  if (!agent.isJoin) return lost
  const have = new Map<string, Set<string>>()
  for (const { topic, envelope } of read) {
    have.set(envelope.flowId, (have.get(envelope.flowId) ?? new Set()).add(topic))
  }
  const unfired = [...have].filter(
    ([flowId, topics]) => topics.size === agent.topics.length && !handled.has(joinHandlingId(agent.name, flowId)),
  )
  return [
    ...lost,
    ...unfired.map(([flowId]) => ({
      invariant: 'I1',
      problem: `${agent.name} has all events of its join and never handled them`,
      flowId,
    })),
  ]
}

function neverEnded(agent: JudgedAgent, event: PastEvent): Finding {
  return {
    invariant: 'I1',
    problem: `${agent.name} never ended ${event.envelope.id}`,
    flowId: event.envelope.flowId,
    records: [placeOf(event)],
  }
}

/** What an agent said, and no completed handling says that it did; and the other way round. */
function orphans({ agents, events, facts }: History): Finding[] {
  const known = new Set(events.map(({ envelope }) => envelope.id))
  const said = new Set<string>()
  const missing: Finding[] = []
  for (const { fact } of facts) {
    for (const output of fact.outputs) {
      said.add(output.eventId)
      if (known.has(output.eventId)) continue
      missing.push({
        invariant: 'I1',
        problem: `a fact of ${fact.agent} names the output ${output.eventId}, which is not on the log`,
        flowId: fact.flowId,
        records: [placeOf(output)],
      })
    }
  }
  const names = new Set(agents.map(({ name }) => name))
  const orphaned = events.filter(({ envelope }) => names.has(envelope.source) && !said.has(envelope.id))
  return [
    ...missing,
    ...orphaned.map((event) => ({
      invariant: 'I1',
      problem: `no fact of ${event.envelope.source} names its output ${event.envelope.id}`,
      flowId: event.envelope.flowId,
      records: [placeOf(event)],
    })),
  ]
}
