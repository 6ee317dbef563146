/** Ids of this process's own schemas in a registry. Services look them up and never register: that is the work of a deployment. */
import { hash } from 'node:crypto'
import type { ContractSet } from './contract-set.ts'
import { subjectOf } from './contract.ts'
import { LabanError } from './errors.ts'
import type { SchemaRegistry } from './registry.ts'

/** Id of a schema text where no registry gives one: 31 bits of its sha256, never 0; the same on every machine. */
export function derivedSchemaId(schemaText: string): number {
  const id = Number.parseInt(hash('sha256', schemaText, 'hex').slice(0, 8), 16) & 0x7f_ff_ff_ff
  return id === 0 ? 1 : id
}

/**
 * The schema id of each topic's contract. With `register` an unknown one is registered first; without it, one that nobody
 * `needs` is left out, and using it is an error then.
 * @throws LABAN_SCHEMA_MISSING without `register`, LABAN_REGISTRY_UNAVAILABLE, LABAN_CONTRACT_UNKNOWN_TOPIC, LABAN_CONTRACT_INCOMPATIBLE
 */
export async function resolveSchemaIds(
  contracts: ContractSet,
  registry: SchemaRegistry,
  topics: Iterable<string>,
  options: { register: boolean; namespace: string; needs?: (topic: string) => boolean },
): Promise<ReadonlyMap<string, number>> {
  const wanted = [...new Set(topics)].map((topic) => contracts.get(topic))
  const ids = await Promise.all(
    wanted.map(async ({ name, schemaText }) => {
      const subject = subjectOf(name, options.namespace)
      const known = await registry.lookup(subject, schemaText)
      if (known !== undefined) return [name, known] as const
      if (options.register) return [name, await registry.register(subject, schemaText)] as const
      if (options.needs?.(name) !== false) throw new LabanError('LABAN_SCHEMA_MISSING', { topic: name, subject })
      return undefined
    }),
  )
  return new Map(ids.filter((entry) => entry !== undefined))
}
