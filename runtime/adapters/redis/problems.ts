/** What a person is told when Redis does not do as asked. Every failure of a command becomes LABAN_STORE_UNAVAILABLE or, where trust or rights are missing, LABAN_STORE_REFUSED. */
import { isDistrust } from '../../../contracts/distrust.ts'
import { describeUnknown, isLabanError, LabanError } from '../../../contracts/errors.ts'

/** First word of an error answer, and what it means. */
const ANSWERS: Readonly<Record<string, string>> = {
  OOM: 'it is full (maxmemory is reached)',
  LOADING: 'it is still loading its data',
  READONLY: 'it is a replica and takes no writes',
  MISCONF: 'it cannot write to its disk',
  MASTERDOWN: 'its master is down',
  NOREPLICAS: 'too few replicas are connected',
  CLUSTERDOWN: 'the cluster does not serve all slots',
  TRYAGAIN: 'the cluster is moving a slot',
  BUSY: 'a script has been running for too long',
  NOAUTH: 'it asks for a password',
  WRONGPASS: 'user name or password are wrong',
  NOPERM: 'the user may not run the scripts of laban',
}

/** Messages of the client, and what they mean. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/Command timed out/, 'no answer in time'],
  [/enableOfflineQueue|Cluster isn't ready/, 'not connected'],
  [/Connection is closed|max retries per request|aborted due to connection close/i, 'the connection was lost'],
]

/** Answers to who is not known or not allowed. */
const REFUSALS: ReadonlySet<string> = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM'])

/** What a connection or a command ran into. */
export interface Problem {
  /** In words: what the error means, then what was said. */
  readonly text: string
  /** Only a person can mend it: login, rights, certificates. */
  readonly isRefusal: boolean
}

/** A connection that ended without saying why. */
export const LOST: Problem = { text: 'the connection was lost', isRefusal: false }

/** What an error means. */
export function problemOf(error: unknown): Problem {
  const said = describeUnknown(error)
  const word = said.split(' ', 1)[0] ?? ''
  const answer = ANSWERS[word]
  if (answer !== undefined) return { text: `${answer}: ${said}`, isRefusal: REFUSALS.has(word) }
  const meaning = MESSAGES.find(([pattern]) => pattern.test(said))?.[1] ?? said
  return { text: meaning, isRefusal: isDistrust(error) }
}

/** The error for the caller. `last` is what the connection last said of itself. */
export function unavailable(url: string, error: unknown, last?: Problem): LabanError {
  if (isLabanError(error)) return error
  const { text, isRefusal } = problemOf(error)
  const because = last === undefined || text.includes(last.text) ? '' : ` (${last.text})`
  const code = isRefusal || last?.isRefusal === true ? 'LABAN_STORE_REFUSED' : 'LABAN_STORE_UNAVAILABLE'
  return new LabanError(code, { url, problem: text + because }, { cause: error })
}

/** The address without user and password. */
export function printableUrl(url: string): string {
  return url
    .split(',')
    .map((part) => part.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/, ''))
    .join(',')
}
