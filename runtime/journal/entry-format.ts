/**
 * One entry of a journal in bytes, the same in the store and on `<agent>.journal`: version byte, length of the head (4, big-endian),
 * head as JSON, result as text. Whatever reads one tells by it who wrote it and in which attempt.
 */
import { LabanError } from '../../contracts/errors.ts'

/** Newest entry format this laban reads and writes. */
export const ENTRY_FORMAT_VERSION = 1

/** Where a result is: here, or in the store of large results. */
export type KeptResult = { readonly text: string } | { readonly largeId: string; readonly bytes: number }

interface EntryHead {
  /** `restart` forgets the steps before it, not the effects. */
  readonly kind: 'step' | 'effect' | 'restart'
  /** Unique in its handling; '' for a restart. */
  readonly name: string
  /** Claim under which it was written. */
  readonly owner: string
  readonly attempt: number
  /** How often the handling had been restarted. */
  readonly generation: number
  /** Ordinal of its call among the steps of its attempt, 1 = first. */
  readonly order: number
  /** Names called before it that had no result at that time. */
  readonly open: readonly string[]
  /** True when another step was running at that time: then its place in the order may differ from attempt to attempt. */
  readonly besides: boolean
  readonly isDurable: boolean
  /** Epoch milliseconds; for an effect of its first try. */
  readonly begunAtMs: number
  readonly durationMs: number
  readonly cost: number | null
}

/** What is known of one step. Without a result it is an effect that has begun: its outcome is unknown. */
export interface JournalEntry extends EntryHead {
  readonly result: KeptResult | null
}

const HEAD_AT = 5

/** The bytes of an entry. */
export function encodeEntry(entry: JournalEntry): Buffer {
  const { result, ...head } = entry
  const isHere = result !== null && 'text' in result
  const place = result === null ? 'none' : isHere ? 'here' : { largeId: result.largeId, bytes: result.bytes }
  const headBytes = Buffer.from(JSON.stringify({ ...head, place }))
  const start = Buffer.allocUnsafe(HEAD_AT)
  start[0] = ENTRY_FORMAT_VERSION
  start.writeUInt32BE(headBytes.length, 1)
  return Buffer.concat([start, headBytes, Buffer.from(isHere ? result.text : '')])
}

/** @throws LABAN_FORMAT_TOO_NEW for a newer version, LABAN_INVARIANT for bytes that are not this format */
export function decodeEntry(bytes: Buffer): JournalEntry {
  const version = bytes[0] ?? 0
  if (version > ENTRY_FORMAT_VERSION) {
    const details = { what: 'An entry of a journal', found: version, known: ENTRY_FORMAT_VERSION }
    throw new LabanError('LABAN_FORMAT_TOO_NEW', details)
  }
  try {
    const bodyAt = HEAD_AT + bytes.readUInt32BE(1)
    const { place, ...head } = JSON.parse(bytes.toString('utf8', HEAD_AT, bodyAt)) as EntryHead & { place: Place }
    return { ...head, result: resultOf(place, bytes.subarray(bodyAt)) }
  } catch (error) {
    const start = bytes.subarray(0, 16).toString('hex')
    throw new LabanError(
      'LABAN_INVARIANT',
      { problem: `a journal entry cannot be read; it begins with ${start}` },
      { cause: error },
    )
  }
}

type Place = 'none' | 'here' | { readonly largeId: string; readonly bytes: number }

function resultOf(place: Place, body: Buffer): KeptResult | null {
  if (place === 'none') return null
  return place === 'here' ? { text: body.toString('utf8') } : place
}
