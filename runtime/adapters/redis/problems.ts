/** What a person is told when Redis does not do as asked. Every failure of a command becomes LABAN_STORE_UNAVAILABLE. */
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

/** In words: what the error means, then what was said. */
export function problemOf(error: unknown): string {
  const said = describeUnknown(error)
  const answer = ANSWERS[said.split(' ', 1)[0] ?? '']
  if (answer !== undefined) return `${answer}: ${said}`
  return MESSAGES.find(([pattern]) => pattern.test(said))?.[1] ?? said
}

/** The error for the caller. `lastProblem` is what the connection last said of itself. */
export function unavailable(url: string, error: unknown, lastProblem?: string): LabanError {
  if (isLabanError(error)) return error
  const problem = problemOf(error)
  const because = lastProblem === undefined || problem.includes(lastProblem) ? '' : ` (${lastProblem})`
  return new LabanError('LABAN_STORE_UNAVAILABLE', { url, problem: problem + because }, { cause: error })
}

/** The address without user and password. */
export function printableUrl(url: string): string {
  return url
    .split(',')
    .map((part) => part.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/, ''))
    .join(',')
}
