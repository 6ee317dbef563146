/**
 * I3: handlings of one key complete in offset order. A handling has completed when the first of its outputs, or else its fact, is on
 * the log. Every copy of an event counts as the first one: a duplicate further on changes no order.
 */
import { isEnd, placeOf, type Finding, type History, type JudgedAgent, type PastEvent } from './history.ts'

/** I3, per agent that keeps the order of keys; joins have none. */
export function inOrder(history: History): Finding[] {
  return history.agents
    .filter(({ isJoin, order }) => !isJoin && order === 'key')
    .flatMap((agent) => disordered(history, agent))
}

function disordered({ events, facts }: History, agent: JudgedAgent): Finding[] {
  const completedAt = completions({ events, facts }, agent)
  const last = new Map<string, { at: number; event: PastEvent }>()
  const seen = new Set<string>()
  const wrong: Finding[] = []
  const read = events.filter(({ topic }) => agent.topics.includes(topic))
  for (const event of read.toSorted((left, right) => left.offset - right.offset)) {
    const at = completedAt.get(event.envelope.id)
    if (at === undefined || seen.has(event.envelope.id)) continue
    seen.add(event.envelope.id)
    const lane = `${event.topic}/${event.partition} ${event.key?.toString('hex')}`
    const before = last.get(lane)
    if (before !== undefined && at < before.at) {
      const problem = `${agent.name} completed ${placeOf(event)} before ${placeOf(before.event)} of the same key`
      const records = [placeOf(before.event), placeOf(event)]
      wrong.push({ invariant: 'I3', problem, flowId: event.envelope.flowId, records })
    }
    if (before === undefined || at > before.at) last.set(lane, { at, event })
  }
  return wrong
}

/** When each handled event had completed, by event id. */
function completions({ events, facts }: Pick<History, 'events' | 'facts'>, agent: JudgedAgent): Map<string, number> {
  const saidAt = new Map<string, number>()
  for (const { envelope, at } of events) {
    if (envelope.source === agent.name && !saidAt.has(envelope.id)) saidAt.set(envelope.id, at)
  }
  const completedAt = new Map<string, number>()
  const completed = new Set<string>()
  for (const { fact, at } of facts) {
    const [input] = fact.inputs
    if (fact.agent !== agent.name || input === undefined || !isEnd(fact)) continue
    // What was a dead letter and has completed after all counts from then on: its successors had to wait for that.
    const isLater = fact.outcome === 'completed' && !completed.has(input.eventId)
    if (completedAt.has(input.eventId) && !isLater) continue
    if (fact.outcome === 'completed') completed.add(input.eventId)
    completedAt.set(input.eventId, Math.min(at, ...fact.outputs.map(({ eventId }) => saidAt.get(eventId) ?? at)))
  }
  return completedAt
}
