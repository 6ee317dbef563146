/** The topology: whatever is announced, with how fast it goes and how far behind it is. Nothing here is drawn by hand. */
import { AGENTS_TOPIC, FACTS_TOPIC, isPlatformAgent, type Manifest } from '../../contracts/index.ts'
import { isWaiting, type Stack } from '../../runtime/internal.ts'
import type { AgentView, InstanceView, Topology, TopicView } from '../api.ts'
import type { ConsoleContext } from './context.ts'
import type { Progress, Sampler } from './sampler.ts'

/** Instances announce themselves every 10 s; three times that is silence. */
const SILENT_AFTER_MS = 30_000
/** The best state of an agent's instances is the agent's. */
const STATES = ['running', 'draining', 'silent', 'stopped'] as const

/** What is announced now. */
export async function readTopology(context: ConsoleContext, sampler: Sampler): Promise<Topology> {
  const { stack, source, shelf } = context
  const [manifests, letters] = await Promise.all([source.manifests(), shelf.all()])
  const byAgent = Map.groupBy(manifests, ({ agent }) => agent)
  const consumed = [...byAgent].map(([agent, own]) => ({
    agent,
    topics: newest(own)?.consumes.filter(isGrouped) ?? [],
  }))
  const topicNames = new Set(manifests.flatMap((manifest) => [...manifest.consumes, ...producedBy(manifest)]))
  const progress = await sampler.take({ topics: topicNames, groups: consumed })
  const nowMs = stack.clock.nowMs()
  const agents = [...byAgent].map(([name, own]) => {
    const waiting = (letters.get(name) ?? []).filter(isWaiting).length
    return agentView(name, own, { nowMs, waiting, progress })
  })
  agents.sort((a, b) => (a.name < b.name ? -1 : 1))
  const topics = [...topicNames].sort().map((name) => topicView(name, agents, { contracts: stack.contracts, progress }))
  return { takenAtMs: nowMs, agents, topics }
}

/** Manifests are read by everybody and by no group. */
function isGrouped(topic: string): boolean {
  return topic !== AGENTS_TOPIC
}

/** Topics that it may publish to. */
export function producedBy({ always, oneOf, maybe }: Pick<Manifest, 'always' | 'oneOf' | 'maybe'>): readonly string[] {
  return [...new Set([...always, ...oneOf, ...maybe])]
}

function newest(manifests: readonly Manifest[]): Manifest | undefined {
  return manifests.toSorted((a, b) => b.seenAtMs - a.seenAtMs)[0]
}

function agentView(
  name: string,
  manifests: readonly Manifest[],
  { nowMs, waiting, progress }: { readonly nowMs: number; readonly waiting: number; readonly progress: Progress },
): AgentView {
  const instances = manifests
    .map((manifest) => instanceView(manifest, nowMs))
    .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || b.seenAtMs - a.seenAtMs)
  const last = newest(manifests)
  const state = instances[0]?.state ?? 'stopped'
  const alive = instances.filter((instance) => instance.state === state)
  return {
    name,
    isPlatform: isPlatformAgent(name),
    summary: last?.summary ?? '',
    versions: [...new Set((state === 'stopped' ? instances.slice(0, 1) : alive).map(({ version }) => version))].sort(),
    state,
    consumes: last?.consumes ?? [],
    isJoin: last?.join ?? false,
    always: last?.always ?? [],
    oneOf: last?.oneOf ?? [],
    maybe: last?.maybe ?? [],
    policies: last?.policies ?? {},
    instances,
    lag: progress.lagOf(name),
    perSecond: progress.rateOfGroup(name),
    deadLetters: waiting,
  }
}

function instanceView(manifest: Manifest, nowMs: number): InstanceView {
  const { instance, host, pid, version, state, startedAtMs, seenAtMs } = manifest
  const isSilent = state !== 'stopped' && nowMs - seenAtMs > SILENT_AFTER_MS
  return { instance, host, pid, version, state: isSilent ? 'silent' : state, startedAtMs, seenAtMs }
}

function topicView(
  name: string,
  agents: readonly AgentView[],
  { contracts, progress }: { readonly contracts: Stack['contracts']; readonly progress: Progress },
): TopicView {
  const now = progress.topic(name)
  return {
    name,
    isPlatform: name === FACTS_TOPIC || name === AGENTS_TOPIC,
    owner: contracts.has(name) ? contracts.get(name).owner : '',
    exists: now !== undefined,
    partitions: now?.partitions ?? 0,
    records: now?.records ?? 0,
    perSecond: progress.rateOfTopic(name),
    producers: agents.filter((agent) => producedBy(agent).includes(name)).map((agent) => agent.name),
    consumers: agents.filter((agent) => agent.consumes.includes(name)).map((agent) => agent.name),
  }
}
