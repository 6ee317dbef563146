/** What an instance announces on `laban.agents`; the Avro form is `platform/manifest.avsc`. */

export const MANIFEST_FORMAT_VERSION = 1

/**
 * What may keep an instance from consuming. `paused`: a partition takes no new records. `blocked`: the brokers refuse its outputs.
 * `failing`: it has stopped itself because most records fail. `recovering`: the store is being rebuilt. `consume`: none of these.
 */
export type InstanceProblem =
  'store' | 'broker' | 'registry' | 'recovering' | 'failing' | 'blocked' | 'paused' | 'consume'

/** One running instance of one agent. */
export interface Manifest {
  readonly formatVersion: number
  readonly agent: string
  readonly version: string
  readonly summary: string
  readonly instance: string
  readonly host: string
  readonly pid: number
  readonly state: 'running' | 'draining' | 'stopped'
  readonly consumes: readonly string[]
  /** True when `consumes` is a join. */
  readonly join: boolean
  readonly always: readonly string[]
  readonly oneOf: readonly string[]
  readonly maybe: readonly string[]
  readonly policies: Readonly<Record<string, string>>
  /** Why it does not consume, or not as it should: a sentence by code (see `InstanceProblem`); absent from older instances. */
  readonly problems?: Readonly<Record<string, string>>
  readonly schemaIds: Readonly<Record<string, number>>
  /** `topic/partition` to the offset at which the subscription began. */
  readonly subscribedFrom: Readonly<Record<string, number>>
  readonly startedAtMs: number
  readonly seenAtMs: number
}

const PLATFORM_PREFIX = 'laban.'

/** True for laban's own agents, such as the ledger: they read what others say of flows, and owe no flow a reaction. */
export function isPlatformAgent(agent: string): boolean {
  return agent.startsWith(PLATFORM_PREFIX)
}
