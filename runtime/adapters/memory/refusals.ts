/** The two errors of a broker that does not do what it is asked. */
import { LabanError } from '../../../contracts/errors.ts'

/** The broker answers no, and would again. */
export function refused(operation: string, topic: string, problem: string): LabanError {
  return new LabanError('LABAN_BROKER_REFUSED', { operation, topic, problem })
}

/** The broker does not answer. */
export function unavailable(problem: string): LabanError {
  return new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers: 'memory', problem })
}
