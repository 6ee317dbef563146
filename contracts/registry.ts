/** Port of a schema registry: only ids and texts; encoding and decoding are the codec's. */
import type { AvroSchema } from './contract.ts'

/** What a registry knows about one version of a subject. */
export interface RegisteredVersion {
  readonly subject: string
  /** 1-based version within the subject. */
  readonly version: number
  readonly schemaId: number
  readonly schema: AvroSchema
}

/**
 * A schema registry. Implementations: the contracts folder, and any Confluent-compatible API.
 * Every method throws LABAN_REGISTRY_UNAVAILABLE (retry) when the registry does not answer: that is never a bad record.
 * Calls are idempotent; repeating one is harmless.
 */
export interface SchemaRegistry {
  /** The schema with this id. @throws LABAN_CONTRACT_UNKNOWN_SCHEMA when the registry says that there is none. */
  schemaById(schemaId: number): Promise<AvroSchema>
  /** Id of exactly this schema under the subject, or undefined when it is not registered. */
  lookup(subject: string, schemaText: string): Promise<number | undefined>
  /** Registers under FULL_TRANSITIVE and returns the id; the same text again gives the same id. @throws LABAN_CONTRACT_INCOMPATIBLE */
  register(subject: string, schemaText: string): Promise<number>
  /** All versions of a subject, oldest first; empty when the subject does not exist. */
  versions(subject: string): Promise<readonly RegisteredVersion[]>
  /** Messages of the registry's own compatibility check against all versions; empty means compatible. */
  incompatibilities(subject: string, schemaText: string): Promise<readonly string[]>
  close(): Promise<void>
}
