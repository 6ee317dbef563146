/** One record that a handling reads: as it came, or as a store kept it until the others of its join arrived. */
import type { Envelope, ReceivedHeaders } from '../../contracts/envelope.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { InputPosition } from '../ports/claim-store.ts'

/** See the file's head. */
export interface WorkPart extends InputPosition {
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReceivedHeaders
  readonly envelope: Envelope
  /** The key as text where it is not the flow id. */
  readonly keyText: string | null
}

/** The record key as text where it is not the flow id. */
export function keyText(key: Buffer | null, flowId: Uuid): string | null {
  if (key === null) return null
  const text = key.toString('utf8')
  return text === flowId ? null : text
}
