/** Failures as the page shows them: code, message, cause and remedy from the table of errors, with a fitting status. */
import { describeUnknown, ERROR_TABLE, isLabanError, type ErrorCode } from '../../runtime/internal.ts'
import type { Problem } from '../api.ts'

/** Statuses that differ from what the class of the error says. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  LABAN_CONSOLE_HOST: 403,
  LABAN_CONSOLE_ORIGIN: 403,
  LABAN_CONSOLE_TOKEN: 401,
  LABAN_CONSOLE_ACTIONS_OFF: 403,
  LABAN_CONSOLE_NOT_FOUND: 404,
  LABAN_FLOW_NOT_FOUND: 404,
  LABAN_DEAD_LETTER_NOT_FOUND: 404,
  LABAN_CONTRACT_UNKNOWN_TOPIC: 404,
  LABAN_RECORD_GONE: 410,
  LABAN_USAGE: 400,
  LABAN_CONTRACT_VALIDATION: 422,
  LABAN_CONTRACT_RULE: 422,
}
const UNAVAILABLE = 503
const INTERNAL = 500

/** What the page is told of any failure, and with which status. */
export function problemOf(error: unknown): { readonly status: number; readonly problem: Problem } {
  if (isLabanError(error)) return { status: statusOf(error.code), problem: labanProblem(error.code, error) }
  const { statusCode } = (typeof error === 'object' && error !== null ? error : {}) as { statusCode?: number }
  if (statusCode !== undefined && statusCode < INTERNAL) {
    const details = { message: describeUnknown(error), remedy: 'Correct the request.' }
    return { status: statusCode, problem: labanProblem('LABAN_USAGE', details) }
  }
  const problem = {
    code: 'LABAN_INVARIANT',
    message: describeUnknown(error),
    cause: 'The console met something that it does not expect.',
    remedy: 'Look at the log of the console; please report it as a bug.',
  }
  return { status: INTERNAL, problem }
}

function labanProblem(code: ErrorCode, { message, remedy }: { message: string; remedy: string }): Problem {
  return { code, message, cause: ERROR_TABLE[code].cause, remedy }
}

function statusOf(code: ErrorCode): number {
  return STATUSES[code] ?? (ERROR_TABLE[code].class === 'retry' ? UNAVAILABLE : INTERNAL)
}
