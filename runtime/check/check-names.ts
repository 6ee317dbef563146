/** Names that would meet on the broker: agents of one name, and topics or groups that agents have for themselves. */
import { agentTopicSettings, retryGroup } from '../../contracts/agent-topics.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { finding, type CheckedAgent, type Finding } from './finding.ts'

/** See the file's head. */
export function checkNames(checked: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  const duplicates = duplicateAgents(checked)
  // Agents of one name clash in everything; that is said once.
  const distinct = [...new Map(checked.map((one) => [one.agent.name, one])).values()]
  return [...duplicates, ...topicClashes(distinct, contracts), ...groupClashes(distinct)]
}

function duplicateAgents(checked: readonly CheckedAgent[]): readonly Finding[] {
  const files = new Map<string, string>()
  return checked.flatMap(({ agent: { name: agent }, file }) => {
    const other = files.get(agent)
    files.set(agent, other ?? file)
    return other === undefined ? [] : [finding(file, 'LABAN_CHECK_DUPLICATE_AGENT', { agent, other })]
  })
}

function topicClashes(checked: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  const owners = new Map([...contracts.topics.keys()].map((topic) => [topic, 'a topic of the topic table']))
  return checked.flatMap(({ agent, file }) => {
    const own = ownTopicsOf(agent, contracts)
    const found = own.flatMap((name) => {
      const other = owners.get(name)
      const details = { kind: 'topic', name, agent: agent.name, other: other ?? '' }
      return other === undefined ? [] : [finding(file, 'LABAN_CHECK_NAME_CLASH', details)]
    })
    for (const name of own) owners.set(name, `a topic of ${agent.name}`)
    return found
  })
}

/** Its topics follow those that it consumes; without their contracts only their names matter here. */
function ownTopicsOf({ name, topics, retry }: CheckedAgent['agent'], contracts: ContractSet): readonly string[] {
  const known = topics.filter((topic) => contracts.has(topic))
  return agentTopicSettings({ name, topics: known, retry }, contracts).map((topic) => topic.name)
}

function groupClashes(checked: readonly CheckedAgent[]): readonly Finding[] {
  const groups = new Map(checked.map(({ agent }) => [agent.name, agent.name]))
  return checked.flatMap(({ agent, file }) => {
    const name = retryGroup(agent.name)
    const other = groups.get(name)
    const details = { kind: 'consumer group', name, agent: agent.name, other: `the agent ${other ?? ''}` }
    return other === undefined ? [] : [finding(file, 'LABAN_CHECK_NAME_CLASH', details)]
  })
}
