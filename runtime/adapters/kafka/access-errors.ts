/** What a broker says to whom it does not trust, know or allow, as errors of the table that name user, resource and operation. */
import { physicalTopic } from '../../../contracts/contract.ts'
import { isDistrust } from '../../../contracts/distrust.ts'
import { describeUnknown, LabanError } from '../../../contracts/errors.ts'

/** What was attempted, and by whom. */
export interface Attempted {
  readonly operation: string
  /** Without namespace. */
  readonly topic?: string
  /** As on the broker. */
  readonly group?: string
  readonly brokers: readonly string[]
  /** @default 'User:ANONYMOUS' */
  readonly user?: string
  /** Prefix of topics on the broker. @default '' */
  readonly namespace?: string
}

/** The operation of an ACL that an attempt needs; others are reading. */
const OPERATIONS: Readonly<Record<string, string>> = {
  produce: 'Write',
  'open a producer': 'Write',
  create: 'Create',
  'add partitions': 'Alter',
  configure: 'AlterConfigs',
  describe: 'Describe',
  'describe group': 'Describe',
  'describe topics': 'Describe',
  'list offsets': 'Describe',
  'list topics': 'Describe',
  'read offsets': 'Describe',
}

/** The error for an answer about rights, login or trust; undefined for everything else. `cause` is the innermost error. */
export function accessError(cause: unknown, attempted: Attempted): LabanError | undefined {
  const brokers = attempted.brokers.join(',')
  const user = attempted.user ?? 'User:ANONYMOUS'
  if (isDistrust(cause)) {
    return new LabanError('LABAN_BROKER_UNTRUSTED', { brokers, problem: describeUnknown(cause) }, { cause })
  }
  if (isAuthentication(cause)) {
    return new LabanError('LABAN_BROKER_LOGIN', { brokers, user, problem: describeUnknown(cause) }, { cause })
  }
  const resource = deniedResource(cause, attempted)
  if (resource === undefined) return undefined
  const operation = OPERATIONS[attempted.operation] ?? 'Read'
  const topic = attempted.topic === undefined ? {} : { topic: attempted.topic }
  return new LabanError('LABAN_BROKER_DENIED', { user, operation, resource, ...topic }, { cause })
}

/** True for errors that end only when somebody corrects a login, a certificate or what trusts it. */
export function isShutOut({ code }: LabanError): boolean {
  return code === 'LABAN_BROKER_LOGIN' || code === 'LABAN_BROKER_UNTRUSTED'
}

/** True for a login that the broker, or kafkajs for it, has refused. */
export function isAuthentication(error: unknown): boolean {
  return error instanceof Error && error.name === 'KafkaJSSASLAuthenticationError'
}

function deniedResource(cause: unknown, { operation, topic, group, namespace = '' }: Attempted): string | undefined {
  const onBroker = (names: string): string =>
    names
      .split(',')
      .map((name) => physicalTopic(name, namespace))
      .join(',')
  const type = cause instanceof Error && 'type' in cause ? cause.type : undefined
  switch (type) {
    case 'TOPIC_AUTHORIZATION_FAILED':
      return `topic ${topicOf(cause) ?? (topic === undefined ? '(unnamed)' : onBroker(topic))}`
    case 'GROUP_AUTHORIZATION_FAILED':
      return `group ${group ?? (topic === undefined ? '(unnamed)' : onBroker(topic))}`
    case 'CLUSTER_AUTHORIZATION_FAILED':
      // An idempotent producer needs the right to write somewhere, and nothing else of the cluster.
      return operation === 'open a producer' ? 'any topic' : 'the cluster'
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return 'transactional id'
    default:
      return undefined
  }
}

function topicOf(error: unknown): string | undefined {
  return error instanceof Error && 'topic' in error && typeof error.topic === 'string' ? error.topic : undefined
}
