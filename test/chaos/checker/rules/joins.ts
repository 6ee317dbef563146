/** I5: a join fires once per flow, with the same members on every attempt, one of each topic. */
import { firstOfEachId, type CheckedAgent, type Choreography, type History, type Violation } from '../history.ts'

export function joinedOnce({ agents }: Choreography, history: History): Violation[] {
  const topicOf = new Map(history.events.map(({ id, topic }) => [id, topic]))
  return agents.filter(({ isJoin }) => isJoin).flatMap((agent) => judge(agent, history, topicOf))
}

function judge(agent: CheckedAgent, { events, facts }: History, topicOf: ReadonlyMap<string, string>): Violation[] {
  const said = [
    ...firstOfEachId(events)
      .filter(({ source }) => source === agent.name)
      .map(({ flowId, causes }) => ({ flowId, members: causes })),
    ...facts
      .filter((fact) => fact.agent === agent.name && fact.outcome === 'completed')
      .map(({ flowId, inputs }) => ({ flowId, members: inputs })),
  ]
  const wrong: Violation[] = []
  const membersOf = new Map<string, string>()
  for (const { flowId, members } of said) {
    const topics = members.map((id) => topicOf.get(id) ?? id)
    if (topics.toSorted().join() !== agent.topics.toSorted().join())
      wrong.push({
        rule: 'I5',
        kind: 'wrong',
        problem: `${agent.name} joined ${topics.join(' and ')} of flow ${flowId}`,
      })
    const text = members.toSorted().join(' ')
    const before = membersOf.get(flowId) ?? text
    membersOf.set(flowId, before)
    if (before !== text)
      wrong.push({
        rule: 'I5',
        kind: 'doubled',
        problem: `${agent.name} joined [${before}] and [${text}] of flow ${flowId}`,
      })
  }
  return wrong
}
