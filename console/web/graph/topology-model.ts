/** The topology as a drawing. */
import type { AgentView, Topology, TopicView } from '../../api.ts'
import { countText, plural, rateText } from '../format.ts'
import type { GraphEdge, GraphModel, GraphNode } from './graph-model.ts'

/** Agents and the topics between them. Agents that have stopped are drawn only if asked for. */
export function topologyModel({ agents, topics }: Topology, showStopped: boolean): GraphModel {
  const shown = agents.filter(({ state }) => showStopped || state !== 'stopped')
  const spoken = topics.filter(({ name }) => shown.some((agent) => hears(agent, name) || says(agent, name)))
  return {
    nodes: [...spoken.map(topicNode), ...shown.map(agentNode)],
    edges: shown.flatMap((agent) => [
      ...agent.consumes.map((topic) => edge(topicId(topic), agentId(agent.name), agent)),
      ...agent.always.map((topic) => edge(agentId(agent.name), topicId(topic), agent)),
      ...[...agent.oneOf, ...agent.maybe].map((topic) => edge(agentId(agent.name), topicId(topic), agent, 'faint')),
    ]),
  }
}

/** Node id of an agent. */
export function agentId(name: string): string {
  return `agent ${name}`
}

/** Node id of a topic. */
export function topicId(name: string): string {
  return `topic ${name}`
}

/** Everything to notice about an agent, in a few words each. */
export function agentBadges({ lag, deadLetters, isJoin, isPlatform }: AgentView): GraphNode['badges'] {
  return [
    ...(isPlatform ? [{ text: 'platform', tone: 'plain' as const }] : []),
    ...(isJoin ? [{ text: 'join', tone: 'plain' as const }] : []),
    ...(lag !== null && lag > 0 ? [{ text: `${countText(lag)} behind`, tone: 'wait' as const }] : []),
    ...(deadLetters > 0 ? [{ text: plural(deadLetters, 'dead letter'), tone: 'bad' as const }] : []),
  ]
}

function agentNode(agent: AgentView): GraphNode {
  const { name, state, versions, instances, perSecond } = agent
  const alive = instances.filter((instance) => instance.state === state).length
  const badges = agentBadges(agent)
  const now = state !== 'running' ? [state] : perSecond === null ? [] : [rateText(perSecond)]
  const detail = [...now, versions.join(', ') + (alive > 1 ? `  ×${alive}` : '')].join('  ·  ')
  const label = `agent, ${state}`
  return { id: agentId(name), kind: 'agent', title: name, detail, status: state, badges, isCritical: false, label }
}

function topicNode({ name, perSecond, records, exists, producers, consumers }: TopicView): GraphNode {
  const badges = exists ? [] : [{ text: 'does not exist', tone: 'bad' as const }]
  const rate = perSecond === null ? [] : [rateText(perSecond)]
  const detail = exists ? [...rate, plural(records, 'record')].join('  ·  ') : ''
  const label = `topic, from ${listText(producers)}, to ${listText(consumers)}`
  return { id: topicId(name), kind: 'topic', title: name, detail, status: '', badges, isCritical: false, label }
}

function edge(from: string, to: string, { state }: AgentView, style: GraphEdge['style'] = 'plain'): GraphEdge {
  return { from, to, label: '', style: state === 'stopped' ? 'faint' : style }
}

function listText(names: readonly string[]): string {
  return names.length === 0 ? 'nobody' : names.join(', ')
}

function hears(agent: AgentView, topic: string): boolean {
  return agent.consumes.includes(topic)
}

function says({ always, oneOf, maybe }: AgentView, topic: string): boolean {
  return always.includes(topic) || oneOf.includes(topic) || maybe.includes(topic)
}
