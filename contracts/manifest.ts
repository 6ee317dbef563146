/** What an instance announces on `laban.agents`; the Avro form is `platform/manifest.avsc`. */

export const MANIFEST_FORMAT_VERSION = 1

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
  readonly schemaIds: Readonly<Record<string, number>>
  /** `topic/partition` to the offset at which the subscription began. */
  readonly subscribedFrom: Readonly<Record<string, number>>
  readonly startedAtMs: number
  readonly seenAtMs: number
}
