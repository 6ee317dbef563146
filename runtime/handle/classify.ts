/** What a thrown value means for the pipeline. */
import { describeUnknown, isLabanError, LabanError } from '../../contracts/errors.ts'

/** `retry`: may pass next time; `terminal`: the same input fails again. */
export interface Failure {
  readonly kind: 'retry' | 'terminal'
  readonly error: LabanError
  /** What the other side asked for: not before so many milliseconds. */
  readonly retryAfterMs?: number
}

/**
 * Our own errors say themselves what they are; those of class `control` and `bug` speak of this runtime, and thrown by a handler
 * they come from elsewhere (a publisher that it closed, say). Anything else is HANDLER_FAILED and may pass next time: guessing from class
 * names would be wrong (a model's bad JSON throws SyntaxError).
 */
export function classify(agent: string, thrown: unknown): Failure {
  if (isLabanError(thrown) && thrown.errorClass !== 'control' && thrown.errorClass !== 'bug')
    return { kind: thrown.errorClass === 'terminal' ? 'terminal' : 'retry', error: thrown }
  const error = new LabanError('LABAN_HANDLER_FAILED', { agent, problem: describeUnknown(thrown) }, { cause: thrown })
  return { kind: 'retry', error }
}
