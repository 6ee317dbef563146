/** What a thrown value means for the pipeline. */
import { describeUnknown, isLabanError, LabanError } from '../../contracts/errors.ts'
import { httpFailure } from './retry-after.ts'

const MAX_DEPTH = 8

/** `retry`: may pass next time; `terminal`: the same input fails again. */
export interface Failure {
  readonly kind: 'retry' | 'terminal'
  readonly error: LabanError
  /** What the other side asked for: not before so many milliseconds. */
  readonly retryAfterMs?: number
}

/**
 * Our own errors say themselves what they are, also as the cause of another error; those of class `control` and `bug` speak of this
 * runtime, and thrown by a handler they come from elsewhere (a publisher that it closed, say). Anything else is HANDLER_FAILED and may
 * pass next time: guessing from class names would be wrong (a model's bad JSON throws SyntaxError). The answer of an HTTP server
 * decides nothing but the wait: what a 400 means for an event only its handler knows.
 */
export function classify(agent: string, thrown: unknown, nowMs: number): Failure {
  const own = ownError(thrown)
  if (own?.errorClass === 'terminal') return { kind: 'terminal', error: own }
  const { status, retryAfterMs } = httpFailure(thrown, nowMs) ?? {}
  const problem = describeUnknown(thrown) + (status === undefined ? '' : ` (HTTP ${status})`)
  const error = own ?? new LabanError('LABAN_HANDLER_FAILED', { agent, problem }, { cause: thrown })
  return { kind: 'retry', error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** An error of ours that speaks of the input; the first one down the causes that is terminal counts more. */
function ownError(thrown: unknown): LabanError | undefined {
  let first: LabanError | undefined
  let error = thrown
  for (let depth = 0; depth < MAX_DEPTH && typeof error === 'object' && error !== null; depth++) {
    if (isLabanError(error) && error.errorClass !== 'control' && error.errorClass !== 'bug') {
      if (error.errorClass === 'terminal') return error
      if (depth === 0) first = error
    }
    error = (error as { readonly cause?: unknown }).cause
  }
  return first
}
