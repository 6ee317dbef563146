/** What a person is told when PostgreSQL does not do as asked. */
import { isDistrust } from '../../../contracts/distrust.ts'
import { describeUnknown, isLabanError, LabanError } from '../../../contracts/errors.ts'

/** Login (28), a database or schema that is not there (3D, 3F), missing rights (42501). */
const REFUSALS = /^(28\w{3}|3D000|3F000|42501)$/

/** The error for the caller. `where` is the address without password. */
export function unusable(where: string, error: unknown): LabanError {
  if (isLabanError(error)) return error
  const code = codeOf(error)
  const isRefused = REFUSALS.test(code) || isDistrust(error)
  const problem = describe(error, code)
  return new LabanError(
    isRefused ? 'LABAN_LEDGER_REFUSED' : 'LABAN_LEDGER_UNAVAILABLE',
    { url: where, problem },
    { cause: error },
  )
}

/** SQLSTATE, or what the operating system says; '' when neither does. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

/** A refused connection to a name with several addresses is an AggregateError without a message. */
function describe(error: unknown, code: string): string {
  const said = describeUnknown(error)
  return said === '' || said === 'AggregateError' ? code : said
}
