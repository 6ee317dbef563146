/**
 * Records of `<agent>.timers`, one per sleeping handling: when it is due, and the record that wakes it, complete, so that waking it is
 * one append. Ended by a tombstone once that append is acknowledged.
 */
import { agentTopic } from '../../contracts/contract.ts'
import { headerText, type ReceivedHeaders } from '../../contracts/envelope.ts'
import type { SingleHeaders } from '../../contracts/header-block.ts'
import { deriveId } from '../../contracts/ids.ts'
import { decodeRecords, encodeRecords } from '../../contracts/record-format.ts'
import type { BrokerRecord, NamedHeaders, OutgoingRecord } from '../ports/broker.ts'
import { DUE_HEADER, dueAtMs, handoverRecord, type HandedBody, type Handover } from '../retry/handover.ts'

/** In a tombstone: the offset of the record that it ends, so that nobody has to remember keys. */
const ENDS_HEADER = 'laban-timer-ends'
/** Kafka cannot hash a null key; this keeps such records together. */
const NULL_KEY_PARTITION = 0

/** One for each suspension, named by the claim it ends: the tombstone of one never ends another. */
export function timerId(agent: string, handlingId: string, claim: string): string {
  return deriveId('sleep', agent, handlingId, claim)
}

/** The record of a timer. `handover` is what the woken handling is to know. */
export function timerRecord(agent: string, id: string, body: HandedBody, handover: Handover): OutgoingRecord {
  const wake = handoverRecord(agentTopic(agent, 'retry.redrive'), body, handover)
  const stored = { topic: wake.topic, key: body.key, value: body.value, headers: single(wake.headers as NamedHeaders) }
  const headers = { [DUE_HEADER]: String(handover.dueAtMs) }
  return { topic: agentTopic(agent, 'timers'), key: id, value: encodeRecords([stored]), headers }
}

/** What a record of the topic says. Undefined: neither timer nor tombstone. */
export function readTimer({ value, headers }: Pick<BrokerRecord, 'value' | 'headers'>): TimerNote | undefined {
  if (value !== null) return { kind: 'set', dueAtMs: dueAtMs(headers) }
  const offset = endedOffset(headers)
  return offset === undefined ? undefined : { kind: 'ended', offset }
}

/** See {@link readTimer}. */
export type TimerNote =
  { readonly kind: 'set'; readonly dueAtMs: number } | { readonly kind: 'ended'; readonly offset: number }

/** The record that wakes the handling. @throws LABAN_FORMAT_TOO_NEW */
export function wakeRecord(value: Buffer): OutgoingRecord | undefined {
  const [stored] = decodeRecords(value)
  if (stored === undefined) return undefined
  return stored.key === null ? { ...stored, partition: NULL_KEY_PARTITION } : stored
}

/** Ends the timer of the record at `offset`, in its own partition. */
export function timerTombstone(
  topic: string,
  partition: number,
  { key, offset }: Pick<BrokerRecord, 'key' | 'offset'>,
): OutgoingRecord {
  return { topic, partition, key, value: null, headers: { [ENDS_HEADER]: String(offset) } }
}

function endedOffset(headers: ReceivedHeaders): number | undefined {
  const offset = Number(headerText(headers, ENDS_HEADER) ?? 'NaN')
  return Number.isSafeInteger(offset) ? offset : undefined
}

/** The last value of each: stored records repeat no header. */
function single(headers: NamedHeaders): SingleHeaders {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const last = Array.isArray(value) ? (value as readonly (string | Buffer)[]).at(-1) : (value as string | Buffer)
      return last === undefined ? [] : [[name, last] as const]
    }),
  )
}
