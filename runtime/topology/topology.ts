/** Who hears whom: agents and the topics between them, as files define them or as manifests announce them. */
import type { AgentShape } from '../../contracts/agent-shape.ts'
import type { TopicContract } from '../../contracts/contract.ts'

/** Agents, and the contracts of topics as far as they are known. */
export interface Topology {
  readonly agents: readonly AgentShape[]
  readonly topics: ReadonlyMap<string, TopicContract>
}

/** How an agent comes to publish to a topic. */
export type OutputKind = 'always' | 'oneOf' | 'maybe'

/** One topic that an agent publishes to. */
export interface Output {
  readonly topic: string
  readonly kind: OutputKind
}

/** Topics of an agent's outputs with their kind. */
export function outputKinds({ always, oneOf, maybe }: AgentShape): readonly Output[] {
  return [
    ...always.map((topic): Output => ({ topic, kind: 'always' })),
    ...oneOf.map((topic): Output => ({ topic, kind: 'oneOf' })),
    ...maybe.map((topic): Output => ({ topic, kind: 'maybe' })),
  ]
}

/** Topics that agents use, those that flows begin with first. */
export function topicsInOrder({ agents, topics }: Topology): readonly string[] {
  const produced = new Set(agents.flatMap((agent) => outputKinds(agent).map(({ topic }) => topic)))
  const consumed = [...new Set(agents.flatMap((agent) => agent.topics))].sort()
  const entries = consumed.filter((topic) => !produced.has(topic) || topics.get(topic)?.isEntry === true)
  return [...new Set([...entries, ...consumed, ...[...produced].sort()])]
}
