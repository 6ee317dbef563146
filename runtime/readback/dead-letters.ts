/**
 * Reads dead letters back from `<agent>.dead-letter`: each with what became of it, which later records of the same topic say. The
 * topic alone answers; no store is asked.
 */
import {
  decodeEnvelope,
  headerText,
  type Envelope,
  type ReceivedHeaders,
  type RecordPosition,
} from '../../contracts/envelope.ts'
import { eventHeaders } from '../../contracts/event-headers.ts'
import { LabanError } from '../../contracts/errors.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { BrokerRecord, TopicPartition } from '../ports/broker.ts'
import { rangesOf, recordsIn, type LogSource } from './platform-records.ts'

/**
 * - `open`: nobody has done anything about it. - `redriven`: sent once more, not ended yet. - `resolved`: redriven, and it succeeded.
 * - `failed-again`: a later dead letter of the same handling stands for it. - `replaced`: by an edited event. - `discarded`: given up.
 */
export type DeadLetterStatus = 'open' | 'redriven' | 'resolved' | 'failed-again' | 'replaced' | 'discarded'

/** What a record of the dead-letter topic may say of an earlier one. */
export const MARKS = ['redriven', 'resolved', 'replaced', 'discarded'] as const
export type DeadLetterMark = (typeof MARKS)[number]

/** One dead letter. */
export interface DeadLetter {
  readonly agent: string
  /** Where it lies: `topic/partition@offset`. */
  readonly place: string
  readonly eventId: Uuid
  readonly flowId: Uuid
  /** The event's id, or for a join the id of its one handling. */
  readonly handlingId: Uuid
  readonly generation: number
  /** The record as it first lay on the log. */
  readonly origin: RecordPosition
  readonly code: string
  readonly errorClass: string
  readonly message: string
  readonly stack: string
  readonly attempts: number
  readonly failedAtMs: number
  readonly agentVersion: string
  readonly instance: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** False: the record itself is broken, and events of its key do not wait behind it. */
  readonly parks: boolean
  /** Headers of the event. */
  readonly headers: ReceivedHeaders
  readonly envelope: Envelope
  readonly status: DeadLetterStatus
  /** What was said when it was discarded or replaced, and when. */
  readonly note: string
  readonly markedAtMs: number | null
}

const SUFFIX = '.dead-letter'
const FORMAT = 1

/** Agents that have a topic of dead letters. */
export async function agentsWithDeadLetters({ broker }: Pick<LogSource, 'broker'>): Promise<readonly string[]> {
  const topics = await broker.admin.listTopics()
  return topics.filter((topic) => topic.endsWith(SUFFIX)).map((topic) => topic.slice(0, -SUFFIX.length))
}

/** Every dead letter of an agent, the oldest failure first. Copies of one (a crash while it was written) count once. @throws LABAN_FORMAT_TOO_NEW */
export async function readDeadLetters(
  { broker }: Pick<LogSource, 'broker'>,
  agent: string,
): Promise<readonly DeadLetter[]> {
  const letters = new Map<string, DeadLetter>()
  const marks = new Map<string, { mark: DeadLetterMark; note: string; atMs: number }>()
  for (const range of await rangesOf(broker, agent + SUFFIX)) {
    for await (const record of recordsIn(broker, range)) {
      const name = `${text(record, 'event-id')} ${text(record, 'generation') || '1'}`
      const mark = MARKS.find((known) => known === text(record, 'mark'))
      if (mark === undefined) letters.set(name, readDeadLetter(agent, range, record))
      // What has succeeded stays so, however often it is redriven.
      else if (marks.get(name)?.mark !== 'resolved')
        marks.set(name, { mark, note: text(record, 'note'), atMs: record.timestampMs })
    }
  }
  const newest = new Map<Uuid, number>()
  for (const { eventId, generation } of letters.values())
    newest.set(eventId, Math.max(newest.get(eventId) ?? 0, generation))
  return [...letters]
    .map(([name, letter]) => {
      const marked = marks.get(name)
      const isOlder = letter.generation < (newest.get(letter.eventId) ?? 0)
      const status: DeadLetterStatus = isOlder ? 'failed-again' : (marked?.mark ?? 'open')
      return { ...letter, status, note: marked?.note ?? '', markedAtMs: marked?.atMs ?? null }
    })
    .sort((a, b) => a.failedAtMs - b.failedAtMs || a.origin.offset - b.origin.offset)
}

/** A record of the topic that is no mark. @throws LABAN_FORMAT_TOO_NEW */
export function readDeadLetter(agent: string, { topic, partition }: TopicPartition, record: BrokerRecord): DeadLetter {
  const format = Number(text(record, 'format') || '1')
  const place = `${topic}/${partition}@${record.offset}`
  if (format > FORMAT) throw new LabanError('LABAN_FORMAT_TOO_NEW', { what: place, found: format, known: FORMAT })
  const origin = {
    topic: text(record, 'topic'),
    partition: Number(text(record, 'partition')),
    offset: Number(text(record, 'offset')),
    timestampMs: Number(text(record, 'timestamp')),
  }
  const headers = eventHeaders(record.headers)
  const envelope = decodeEnvelope(headers, origin)
  return {
    agent,
    place,
    eventId: envelope.id,
    flowId: envelope.flowId,
    handlingId: text(record, 'handling-id') || envelope.id,
    generation: Number(text(record, 'generation') || '1'),
    origin,
    code: text(record, 'reason'),
    errorClass: text(record, 'error-class'),
    message: text(record, 'error-message'),
    stack: text(record, 'stack'),
    attempts: Number(text(record, 'attempts') || '1'),
    failedAtMs: Date.parse(text(record, 'failed-at')) || record.timestampMs,
    agentVersion: text(record, 'agent-version'),
    instance: text(record, 'instance'),
    key: record.key,
    value: text(record, 'tombstone') === 'true' ? null : record.value,
    parks: text(record, 'parks') !== 'false',
    headers,
    envelope,
    status: 'open',
    note: '',
    markedAtMs: null,
  }
}

/** What a record says of an earlier one; undefined for a dead letter itself. */
export function readDeadLetterMark(
  record: BrokerRecord,
): { readonly eventId: Uuid; readonly mark: DeadLetterMark } | undefined {
  const mark = MARKS.find((known) => known === text(record, 'mark'))
  return mark === undefined ? undefined : { eventId: text(record, 'event-id'), mark }
}

function text({ headers }: BrokerRecord, name: string): string {
  return headerText(headers, `laban-dlq-${name}`) ?? ''
}
