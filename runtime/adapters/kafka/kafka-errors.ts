/**
 * kafkajs errors as rows of the error table. Only an answer of the broker that the same request would get again is terminal;
 * whatever may pass (network, elections, anything unknown) is `LABAN_BROKER_UNAVAILABLE`, so that no record is given up for it.
 */
import { isDistrust } from '../../../contracts/distrust.ts'
import { describeUnknown, isLabanError, LabanError } from '../../../contracts/errors.ts'
import { accessError, isAuthentication, isShutOut, type Attempted } from './access-errors.ts'
import type { ProtocolErrorLike } from './kafkajs-internals.ts'

/** Answers that mean: this member's generation is over. What was sent in its name will never be accepted. */
const REBALANCED: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])
/** Answers marked retriable by kafkajs that do not pass by waiting a moment; the callers have waited that moment. */
const MISSING: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION'])
/** The same record is refused again; one made later, by a clock that was set meanwhile, is not. */
const CLOCK_AHEAD = 'INVALID_TIMESTAMP'
/** Answers marked final by kafkajs that may pass. */
const PASSING: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'BROKER_NOT_AVAILABLE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'KAFKAJS_UNKNOWN_ERROR_CODE',
  'STALE_BROKER_EPOCH',
  'OFFSET_OUT_OF_RANGE',
  // A request that met the renewal of a login; the next connection begins anew.
  'ILLEGAL_SASL_STATE',
])

/** The innermost error that carries a broker's answer, or the error itself. */
export function rootCause(error: unknown): unknown {
  let current = error
  for (let depth = 0; depth < 10; depth += 1) {
    if (hasType(current) || isLabanError(current)) return current
    const inner = innerError(current)
    if (inner === undefined) return current
    current = inner
  }
  return current
}

/** Maps anything thrown by kafkajs to an error of the table. */
export function toLabanError(error: unknown, attempted: Attempted): LabanError {
  const cause = rootCause(error)
  if (isLabanError(cause)) return cause
  const access = accessError(cause, attempted)
  if (access !== undefined) return access
  const topic = attempted.topic ?? topicOf(cause) ?? 'the cluster'
  const problem = describeUnknown(cause)
  const unavailable = (): LabanError =>
    new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers: attempted.brokers.join(','), problem }, { cause: error })
  const refused = (why: string): LabanError =>
    new LabanError('LABAN_BROKER_REFUSED', { operation: attempted.operation, topic, problem: why }, { cause: error })
  if (!hasType(cause)) return unavailable()
  if (cause.type === CLOCK_AHEAD) return new LabanError('LABAN_BROKER_CLOCK', { topic, problem }, { cause: error })
  if (REBALANCED.has(cause.type) || MISSING.has(cause.type)) return refused(`${cause.type}: ${problem}`)
  if (cause.retriable || PASSING.has(cause.type)) return unavailable()
  return refused(`${cause.type}: ${problem}`)
}

/** Whether the same call may succeed a moment later. Who is not let in waits longer than that: for a person. */
export function mayPass(error: unknown): boolean {
  const cause = rootCause(error)
  if (isLabanError(cause)) return cause.errorClass === 'retry' && !isShutOut(cause)
  if (isAuthentication(cause) || isDistrust(cause)) return false
  return hasType(cause) ? cause.retriable || PASSING.has(cause.type) : true
}

function hasType(error: unknown): error is ProtocolErrorLike {
  return error instanceof Error && 'type' in error && typeof error.type === 'string'
}

function innerError(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  if ('errors' in error && Array.isArray(error.errors)) return error.errors[0]
  return error.cause === error ? undefined : error.cause
}

function topicOf(error: unknown): string | undefined {
  return error instanceof Error && 'topic' in error && typeof error.topic === 'string' ? error.topic : undefined
}

/** A commit that is not sent, because it is not this member's to make. */
export function commitRefused(topic: string, problem: string): LabanError {
  return new LabanError('LABAN_BROKER_REFUSED', { operation: 'commit', topic, problem })
}
