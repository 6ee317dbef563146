/** I5: a join fires once per flow, with the same members on every attempt. */
import type { Finding, History } from './history.ts'

/** I5: what breaks it. */
export function joinedOnce({ agents, facts, events }: History): Finding[] {
  const joins = new Set(agents.filter(({ isJoin }) => isJoin).map(({ name }) => name))
  const members = new Map<string, string>()
  const wrong: Finding[] = []
  const compare = (agent: string, flowId: string, said: string): void => {
    const name = `${agent} ${flowId}`
    const first = members.get(name)
    if (first === undefined) members.set(name, said)
    else if (first !== said) {
      wrong.push({ invariant: 'I5', problem: `${agent} joined ${first} and also ${said}`, flowId })
    }
  }
  for (const { fact } of facts) {
    if (!joins.has(fact.agent) || fact.outcome !== 'completed') continue
    compare(fact.agent, fact.flowId, listed(fact.inputs.map(({ eventId }) => eventId)))
  }
  for (const { envelope } of events) {
    if (joins.has(envelope.source)) compare(envelope.source, envelope.flowId, listed(envelope.causes))
  }
  return wrong
}

function listed(ids: readonly string[]): string {
  return [...ids].sort().join('+')
}
