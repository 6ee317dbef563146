/**
 * A codec that goes on without the registry where it can: what laban itself writes (facts, announcements) is read with the schema of
 * this process when the writer's cannot be loaded. A record that does not fit it exactly counts as unreadable, never as something else.
 */
import type { EventCodec } from '../../contracts/codec.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import { createCodec } from '../../contracts/create-codec.ts'
import { describeUnknown, isLabanError } from '../../contracts/errors.ts'
import type { SchemaRegistry } from '../../contracts/registry.ts'

/** See the file's head. */
export interface PatientCodec extends EventCodec {
  /** Why schemas could not be loaded; undefined while none was missing. */
  readonly problem: () => string | undefined
}

const OWN_TOPICS: ReadonlySet<string> = new Set([FACTS_TOPIC, AGENTS_TOPIC])

/** A codec that only decodes. */
export function patientCodec(contracts: ContractSet, registry: SchemaRegistry): PatientCodec {
  const codec = createCodec({ contracts, registry, schemaIds: new Map() })
  const own = new Map<string, EventCodec>()
  const missing = new Set<number>()
  let problem: string | undefined
  const ownCodec = (topic: string, schemaId: number): EventCodec => {
    const name = `${topic} ${schemaId}`
    const known = own.get(name) ?? createCodec({ contracts, registry, schemaIds: new Map([[topic, schemaId]]) })
    own.set(name, known)
    return known
  }
  return {
    problem: () => problem,
    encode: (topic, value) => codec.encode(topic, value),
    decode(topic, value, where) {
      const decoded = codec.decode(topic, value, where)
      if ('value' in decoded || !missing.has(decoded.loadSchemaId) || !OWN_TOPICS.has(topic)) return decoded
      return ownCodec(topic, decoded.loadSchemaId).decode(topic, value, where)
    },
    async load(schemaId) {
      if (problem !== undefined) return void missing.add(schemaId)
      try {
        await codec.load(schemaId)
      } catch (error) {
        if (!isLabanError(error) || error.code !== 'LABAN_REGISTRY_UNAVAILABLE') throw error
        problem = describeUnknown(error)
        missing.add(schemaId)
      }
    },
  }
}
