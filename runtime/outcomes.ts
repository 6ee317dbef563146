/** What a handler may throw to say how its failure is to be treated. */
import { LabanError } from '../contracts/errors.ts'

/** This input can never succeed: no retry, straight to the dead letters. */
export function terminal(reason: string, options: { cause?: unknown } = {}): LabanError {
  return new LabanError(
    'LABAN_HANDLER_REJECTED',
    { agent: 'the agent', problem: reason },
    { ...options, message: reason },
  )
}
