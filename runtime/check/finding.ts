/** What a static check reports: an error of the table that is told instead of thrown, with the file that it is about. */
import { LabanError, type ErrorCode, type ErrorDetails } from '../../contracts/errors.ts'
import type { Agent } from '../agent.ts'

/** An agent and its file. */
export interface CheckedAgent {
  readonly agent: Agent
  /** Absolute path. */
  readonly file: string
}

/** One thing that is wrong (`error`) or may be (`warning`). */
export interface Finding {
  readonly code: ErrorCode
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly remedy: string
  /** Absolute path of the agent file, the topic table or the schema. */
  readonly file: string
}

/** A finding that keeps a choreography from working. */
export function finding(file: string, code: ErrorCode, details: ErrorDetails): Finding {
  return findingOf(new LabanError(code, details), file)
}

/** A finding that may be meant. */
export function warning(file: string, code: ErrorCode, details: ErrorDetails): Finding {
  return { ...finding(file, code, details), severity: 'warning' }
}

/** An error that was thrown, as a finding. */
export function findingOf({ code, message, remedy }: LabanError, file: string): Finding {
  return { code, severity: 'error', message, remedy, file }
}
