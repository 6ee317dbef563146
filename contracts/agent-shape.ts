/** What a choreography needs to know of an agent: who it is, what it hears and what it says. An agent file and a manifest both tell. */
import type { Manifest } from './manifest.ts'

/** One agent, without its code. */
export interface AgentShape {
  readonly name: string
  readonly version: string
  readonly summary: string
  /** Topics that it consumes. */
  readonly topics: readonly string[]
  /** True: one event of each topic per flow. */
  readonly isJoin: boolean
  /** Topics of what it publishes: one of each, exactly one of them, any of them. */
  readonly always: readonly string[]
  readonly oneOf: readonly string[]
  readonly maybe: readonly string[]
}

/** All topics that an agent may publish to. */
export function outputsOf({ always, oneOf, maybe }: Pick<AgentShape, 'always' | 'oneOf' | 'maybe'>): readonly string[] {
  return [...always, ...oneOf, ...maybe]
}

/** The agents that manifests tell of, each as its newest instance announced it; sorted by name. */
export function shapesOf(manifests: readonly Manifest[]): readonly AgentShape[] {
  const newest = new Map<string, Manifest>()
  for (const manifest of manifests) {
    const known = newest.get(manifest.agent)
    if (known === undefined || manifest.startedAtMs > known.startedAtMs) newest.set(manifest.agent, manifest)
  }
  return [...newest.values()]
    .map(({ agent, version, summary, consumes, join, always, oneOf, maybe }) => {
      return { name: agent, version, summary, topics: consumes, isJoin: join, always, oneOf, maybe }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
