/** The record that a handling ends in when it cannot succeed: raw key and value, original headers, and why, all bounded. */
import { agentTopic } from '../../contracts/contract.ts'
import { eventHeaders } from '../../contracts/event-headers.ts'
import { describeUnknown, type LabanError } from '../../contracts/errors.ts'
import { headerText, type Envelope, type ReceivedHeaders } from '../../contracts/envelope.ts'
import type { NamedHeaders, OutgoingRecord } from '../ports/broker.ts'

export interface DeadLetterSource {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReceivedHeaders
  readonly envelope: Envelope
}

/** Why a handling cannot succeed, as it is known when that is decided. */
export interface DeathCause {
  readonly agent: string
  readonly agentVersion: string
  readonly instance: string
  readonly error: LabanError
  readonly attempts: number
  readonly failedAtMs: number
  /** False: the record itself is broken, and its successors do not wait for it. */
  readonly parks: boolean
}

/** Whose dead letter it is, and the account of {@link accountOf}. */
export interface DeadLetterReason {
  readonly agent: string
  /** How often the handling has been a dead letter, this one included: what a redrive must name. */
  readonly generation: number
  /** The event's id, or for a join the id of its one handling. */
  readonly handlingId: string
  readonly account: Readonly<Record<string, string>>
}

const FORMAT = '1'
const ACCOUNT = [
  ...['agent', 'agent-version', 'instance', 'reason', 'error-class', 'error-message', 'stack', 'attempts', 'failed-at'],
  'parks',
]
const MAX_NAME_CHARS = 128
const MAX_MESSAGE_CHARS = 1_024
const MAX_STACK_CHARS = 4_096
/** Kafka cannot hash a null key; this keeps such records together. */
const NULL_KEY_PARTITION = 0

/** The record for `<agent>.dead-letter`. Headers of an earlier dead letter are replaced, never added to. */
export function deadLetterRecord(
  source: DeadLetterSource,
  reason: DeadLetterReason,
): OutgoingRecord & { readonly headers: NamedHeaders } {
  return {
    topic: agentTopic(reason.agent, 'dead-letter'),
    ...(source.key === null ? { partition: NULL_KEY_PARTITION } : {}),
    key: source.key,
    value: source.value,
    headers: {
      ...eventHeaders(source.headers),
      ...placeHeaders(source),
      ...reason.account,
      'laban-dlq-generation': String(reason.generation),
      'laban-dlq-handling-id': reason.handlingId,
    },
  }
}

function placeHeaders(source: DeadLetterSource): Record<string, string> {
  return {
    'laban-dlq-format': FORMAT,
    'laban-dlq-topic': source.topic,
    'laban-dlq-partition': String(source.partition),
    'laban-dlq-offset': String(source.offset),
    'laban-dlq-timestamp': String(source.timestampMs),
    'laban-dlq-event-id': source.envelope.id,
    'laban-dlq-flow-id': source.envelope.flowId,
    ...(source.value === null ? { 'laban-dlq-tombstone': 'true' } : {}),
  }
}

/** Headers that say why, all bounded. */
export function accountOf(reason: DeathCause): Record<string, string> {
  const { error } = reason
  const cause: unknown = error.cause
  const stack = cause instanceof Error ? cause.stack : error.stack
  return {
    'laban-dlq-agent': reason.agent,
    'laban-dlq-agent-version': reason.agentVersion,
    'laban-dlq-instance': reason.instance,
    'laban-dlq-reason': error.code,
    'laban-dlq-error-class': clip(cause instanceof Error ? cause.name : error.name, MAX_NAME_CHARS),
    'laban-dlq-error-message': clip(messageOf(error), MAX_MESSAGE_CHARS),
    'laban-dlq-stack': clip(stack ?? '', MAX_STACK_CHARS),
    'laban-dlq-attempts': String(reason.attempts),
    'laban-dlq-failed-at': new Date(reason.failedAtMs).toISOString(),
    ...(reason.parks ? {} : { 'laban-dlq-parks': 'false' }),
  }
}

/** With its cause, unless the message tells that anyhow. */
function messageOf({ message, cause }: LabanError): string {
  const said = cause === undefined ? '' : describeUnknown(cause)
  return message.includes(said.trim()) ? message : `${message} (${said})`
}

/** What {@link accountOf} gave, from the record of a dead letter. */
export function accountIn(headers: ReceivedHeaders): Record<string, string> {
  const names = ACCOUNT.map((name) => `laban-dlq-${name}`)
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = headerText(headers, name)
      return text === undefined ? [] : [[name, text] as const]
    }),
  )
}

/** Thrown errors may carry anything in place of their name, message and stack. */
function clip(value: unknown, maxChars: number): string {
  const text = typeof value === 'string' ? value : describeUnknown(value)
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`
}

/** What a later record of the dead-letter topic says of one. */
export interface DeadLetterMarking {
  readonly agent: string
  readonly eventId: string
  readonly generation: number
  readonly mark: 'redriven' | 'resolved' | 'replaced' | 'discarded'
  /** Why, or by what; at most 1024 characters are kept. */
  readonly note?: string
}

/** The record that says what became of a dead letter; it has no value. */
export function deadLetterMark(key: Buffer | null, marking: DeadLetterMarking): OutgoingRecord {
  return {
    topic: agentTopic(marking.agent, 'dead-letter'),
    ...(key === null ? { partition: NULL_KEY_PARTITION } : {}),
    key,
    value: null,
    headers: {
      'laban-dlq-format': FORMAT,
      'laban-dlq-mark': marking.mark,
      'laban-dlq-event-id': marking.eventId,
      'laban-dlq-generation': String(marking.generation),
      'laban-dlq-note': clip(marking.note ?? '', MAX_MESSAGE_CHARS),
    },
  }
}
