/** What flows are read with. Reading needs no schema of ours to be registered: the writers' schemas come from the registry. */
import { createCodec, type EventCodec } from '../contracts/index.ts'
import type { RecordArchive, Stack } from '../runtime/internal.ts'

/** Broker, contracts and a codec that only decodes; where flows come from a ledger, its archive. */
export type ReadingSource = Pick<Stack, 'broker' | 'contracts'> & {
  readonly codec: EventCodec
  readonly archive?: RecordArchive
}

/** The source of a stack, and what else has its records. */
export function readingSource({ broker, contracts, registry }: Stack, archive?: RecordArchive): ReadingSource {
  const codec = createCodec({ contracts, registry, schemaIds: new Map() })
  return { broker, contracts, codec, ...(archive === undefined ? {} : { archive }) }
}
