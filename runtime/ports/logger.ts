/** Port of structured logging. Levels mean: error = somebody must act, warn = it healed itself, info = life cycle, debug = the rest. */

import { describeUnknown, isLabanError } from '../../contracts/errors.ts'

/** Structured values of one line. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured log; `child` adds fields to every line. Logging never throws. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  child(fields: LogFields): Logger
}

/** What a person is told of an error: what is wrong and, where it is known, its code and what to do. */
export function errorFields(error: unknown): LogFields {
  const problem = describeUnknown(error)
  return isLabanError(error) ? { problem, code: error.code, remedy: error.remedy } : { problem }
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}
