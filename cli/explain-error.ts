/** Tells a person what went wrong: code, message, why, what to do, and the command to run next. */
import { ERROR_TABLE, isLabanError, describeUnknown, type LabanError } from '../runtime/internal.ts'
import type { Output } from './output.ts'

const UNEXPECTED_EXIT = 70

/** Prints the error and returns the exit status. */
export function explainError(error: unknown, output: Output, asJson: boolean): number {
  if (isLabanError(error)) {
    if (asJson) output.note(JSON.stringify({ error: { ...error.toJSON(), remedy: error.remedy } }))
    else for (const line of describeError(error, output)) output.note(line)
    return error.exitCode
  }
  if (asJson) output.note(JSON.stringify({ error: { message: describeUnknown(error) } }))
  else {
    output.note(`${output.styleNote('red', 'unexpected error')}: ${describeUnknown(error)}`)
    output.note(error instanceof Error && error.stack !== undefined ? error.stack : String(error))
    output.note('This is a bug in laban; please report it with the lines above.')
  }
  return UNEXPECTED_EXIT
}

function describeError(error: LabanError, output: Output): string[] {
  const label = (name: string): string => output.styleNote('dim', name.padEnd(8))
  const lines = [`${output.styleNote('red', error.code)}: ${error.message}`]
  if (error.code !== 'LABAN_USAGE') lines.push(`  ${label('why')}${ERROR_TABLE[error.code].cause}`)
  if (error.cause !== undefined) lines.push(`  ${label('cause')}${describeUnknown(error.cause)}`)
  lines.push(`  ${label('remedy')}${error.remedy}`)
  const next = /`((?:laban|npm) [^`]+)`/.exec(error.remedy)?.[1]
  if (next !== undefined) lines.push(`  ${label('next')}${next}`)
  return lines
}
