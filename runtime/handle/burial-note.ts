/**
 * What the store keeps of a handling that cannot succeed until its dead letter and its fact are on the log: whoever finds it there can
 * write both, without having seen it fail. The event itself is not in it; that is read again.
 */
import type { ReceivedHeaders } from '../../contracts/envelope.ts'
import { LabanError } from '../../contracts/errors.ts'
import type { FactStep } from '../../contracts/fact.ts'
import { accountIn } from './dead-letter.ts'

/** The note of one burial. */
export interface BurialNote {
  /** Headers of its dead letters, which say why. */
  readonly account: Readonly<Record<string, string>>
  /** False: the record itself is broken, and its successors do not wait for it. */
  readonly parks: boolean
  readonly attempt: number
  readonly startedAtMs: number
  readonly error: { readonly code: string; readonly message: string }
  readonly steps: readonly FactStep[]
}

const FORMAT = 1

/** The note of a dead letter that lies on the log; of its steps nothing is known any more. */
export function noteOfLetter(headers: ReceivedHeaders, letter: LetterOnLog): BurialNote {
  return {
    account: accountIn(headers),
    parks: letter.parks,
    attempt: letter.attempts,
    startedAtMs: letter.failedAtMs,
    error: { code: letter.code, message: letter.message },
    steps: [],
  }
}

interface LetterOnLog {
  readonly parks: boolean
  readonly attempts: number
  readonly failedAtMs: number
  readonly code: string
  readonly message: string
}

/** The bytes for the store. */
export function encodeBurialNote(note: BurialNote): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...note }))
}

/** Reads them back. @throws LABAN_FORMAT_TOO_NEW */
export function decodeBurialNote(bytes: Buffer): BurialNote {
  const { format, ...note } = JSON.parse(bytes.toString('utf8')) as BurialNote & { readonly format: number }
  if (format > FORMAT)
    throw new LabanError('LABAN_FORMAT_TOO_NEW', { what: 'the note of a dead letter', found: format, known: FORMAT })
  return note
}
