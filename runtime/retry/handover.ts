/**
 * The record that a handling is handed over in: the event's own key, value and headers, and in `laban-retry-*` headers where it came
 * from and what has happened to it. The rule it keeps: what is handed over is the same event, at its first place in the log.
 */
import { headerText, type ReceivedHeaders, type RecordPosition } from '../../contracts/envelope.ts'
import { eventHeaders } from '../../contracts/event-headers.ts'
import { LabanError } from '../../contracts/errors.ts'
import type { OutgoingRecord } from '../ports/broker.ts'

/**
 * - `retry`: waits for its next attempt. - `parked`: waited behind a failed event of its key, and it is its turn.
 * - `suspended`: slept, and its time has come. - `redrive`: a person sends a dead letter once more. - `release`: a person gives a dead letter up; what waits behind it may go.
 */
export type HandoverKind = 'retry' | 'parked' | 'suspended' | 'redrive' | 'release'

/** What a handed-over record says besides the event. */
export interface Handover {
  readonly kind: HandoverKind
  /** Where the event lies: its identity if it is foreign, and its place in the order of its key. */
  readonly origin: RecordPosition
  /** Attempts so far. */
  readonly attempt: number
  /** Attempts since it first ran or was last redriven: what `maxAttempts` counts. */
  readonly tries: number
  /** Retry topics that it has passed. */
  readonly tier: number
  /** Generation of the dead letter that it was redriven from; 0 when it never was one. */
  readonly generation: number
  /** Epoch milliseconds before which it must not run; 0 for at once. */
  readonly dueAtMs: number
  /** Name of the sleep that is over at `dueAtMs`: a store that has lost the journal must not begin it anew. */
  readonly slept?: string
}

/** Key, value and headers of an event. */
export interface HandedBody {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReceivedHeaders
}

export const HANDOVER_FORMAT = 1
const PREFIX = 'laban-retry-'
export const DUE_HEADER = 'laban-due-ms'
const KINDS: readonly HandoverKind[] = ['retry', 'parked', 'suspended', 'redrive', 'release']
/** Kafka cannot hash a null key; this keeps such records together. */
const NULL_KEY_PARTITION = 0

/** The record for a retry topic. Headers of an earlier hand-over or dead letter are replaced, never added to. */
export function handoverRecord(topic: string, body: HandedBody, handover: Handover): OutgoingRecord {
  const { kind, origin, attempt, tries, tier, generation, dueAtMs, slept } = handover
  const numbers = { attempt, tries, tier, generation, partition: origin.partition, offset: origin.offset }
  return {
    topic,
    ...(body.key === null ? { partition: NULL_KEY_PARTITION } : {}),
    key: body.key,
    value: body.value,
    headers: {
      ...eventHeaders(body.headers),
      [`${PREFIX}format`]: String(HANDOVER_FORMAT),
      [`${PREFIX}kind`]: kind,
      [`${PREFIX}topic`]: origin.topic,
      [`${PREFIX}timestamp`]: String(origin.timestampMs),
      ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [PREFIX + name, String(value)])),
      ...(slept === undefined ? {} : { [`${PREFIX}slept`]: slept }),
      [DUE_HEADER]: String(dueAtMs),
    },
  }
}

/** What the record says; undefined for one that is no hand-over. @throws LABAN_FORMAT_TOO_NEW */
export function readHandover(headers: ReceivedHeaders): Handover | undefined {
  const format = Number(headerText(headers, `${PREFIX}format`))
  if (format > HANDOVER_FORMAT) {
    throw new LabanError('LABAN_FORMAT_TOO_NEW', { what: 'a retried record', found: format, known: HANDOVER_FORMAT })
  }
  const kind = KINDS.find((known) => known === headerText(headers, `${PREFIX}kind`))
  const topic = headerText(headers, `${PREFIX}topic`)
  const [partition, offset] = [numberIn(headers, 'partition'), numberIn(headers, 'offset')]
  const slept = headerText(headers, `${PREFIX}slept`)
  if (kind === undefined || topic === undefined || partition === undefined || offset === undefined) return undefined
  return {
    kind,
    origin: { topic, partition, offset, timestampMs: numberIn(headers, 'timestamp') ?? 0 },
    attempt: numberIn(headers, 'attempt') ?? 0,
    tries: numberIn(headers, 'tries') ?? 0,
    tier: numberIn(headers, 'tier') ?? 0,
    generation: numberIn(headers, 'generation') ?? 0,
    dueAtMs: dueAtMs(headers),
    ...(slept === undefined ? {} : { slept }),
  }
}

/** Epoch milliseconds before which the record must not run; 0 for at once. */
export function dueAtMs(headers: ReceivedHeaders): number {
  const due = Number(headerText(headers, DUE_HEADER) ?? '0')
  return Number.isFinite(due) ? due : 0
}

function numberIn(headers: ReceivedHeaders, name: string): number | undefined {
  const number = Number(headerText(headers, PREFIX + name) ?? 'NaN')
  return Number.isSafeInteger(number) ? number : undefined
}
