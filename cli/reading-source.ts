/** What flows are read with. Reading needs no schema of ours to be registered: the writers' schemas come from the registry. */
import { createCodec, type EventCodec } from '../contracts/index.ts'
import type { Stack } from '../runtime/internal.ts'

/** Broker, contracts and a codec that only decodes. */
export type ReadingSource = Pick<Stack, 'broker' | 'contracts'> & { readonly codec: EventCodec }

/** The source of a stack. */
export function readingSource({ broker, contracts, registry }: Stack): ReadingSource {
  return { broker, contracts, codec: createCodec({ contracts, registry, schemaIds: new Map() }) }
}
