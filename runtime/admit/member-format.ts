/** A join member as it is stored until the others arrive: the record with its envelope and timestamp in headers. */
import { agentTopic } from '../../contracts/contract.ts'
import { decodeEnvelope, encodeEnvelope, headerText, type ReceivedHeaders } from '../../contracts/envelope.ts'
import { LabanError } from '../../contracts/errors.ts'
import { decodeRecords, encodeRecords, type StoredRecord } from '../../contracts/record-format.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { BrokerRecord, OutgoingRecord } from '../ports/broker.ts'
import type { JoinMember } from '../ports/claim-store.ts'
import { keyText, type WorkPart } from './work-part.ts'

/** Header with the record's own timestamp. */
export const RECORDED_AT = 'laban-recorded-at'
/** Version of the record on the `waiting` topic; a laban that recovers from it refuses a newer one. */
const WAITING = 'laban-waiting-'
const WAITING_FORMAT = `${WAITING}format`
const KNOWN_FORMAT = 1
const FORMAT = { [WAITING_FORMAT]: String(KNOWN_FORMAT) }

/**
 * The member's record. Its envelope is written anew, so that a foreign event keeps its derived identity. A time that the event does not
 * say is not added: the record's own timestamp stands for it, and `ce_*` headers are content, which must be the same wherever it lies.
 */
export function memberRecord(part: WorkPart): StoredRecord {
  const { time, ...envelope } = part.envelope
  return {
    topic: part.topic,
    key: part.key,
    value: part.value,
    headers: {
      ...lastValues(part.headers),
      ...encodeEnvelope(part.envelope.foreign === true ? { ...envelope, time } : envelope),
      ...FORMAT,
      [RECORDED_AT]: String(part.timestampMs),
    },
  }
}

/** A part as the store keeps it. */
export function encodeMember(part: WorkPart): JoinMember {
  const { topic, partition, offset, envelope } = part
  return { eventId: envelope.id, topic, partition, offset, record: encodeRecords([memberRecord(part)]) }
}

/** The member on the `waiting` topic, named by its flow, with the place and key it had: what a lost store is rebuilt from. */
export function waitingRecord(agent: string, part: WorkPart): OutgoingRecord {
  const record = memberRecord(part)
  const place = {
    [`${WAITING}topic`]: part.topic,
    [`${WAITING}partition`]: String(part.partition),
    [`${WAITING}offset`]: String(part.offset),
    ...(part.key === null ? {} : { [`${WAITING}key`]: part.key }),
  }
  return {
    topic: agentTopic(agent, 'waiting'),
    key: part.envelope.flowId,
    value: record.value,
    headers: { ...record.headers, ...place },
  }
}

/** The member that a record of the `waiting` topic holds; undefined for one without a place. @throws LABAN_FORMAT_TOO_NEW */
export function readWaiting(record: BrokerRecord): { readonly flowId: Uuid; readonly member: JoinMember } | undefined {
  const format = Number(headerText(record.headers, WAITING_FORMAT) ?? '0')
  if (format > KNOWN_FORMAT)
    throw new LabanError('LABAN_FORMAT_TOO_NEW', { what: 'a waiting record', found: format, known: KNOWN_FORMAT })
  const topic = headerText(record.headers, `${WAITING}topic`)
  const partition = Number(headerText(record.headers, `${WAITING}partition`) ?? 'NaN')
  const offset = Number(headerText(record.headers, `${WAITING}offset`) ?? 'NaN')
  if (topic === undefined || !Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return undefined
  const headers = lastValues(record.headers)
  const key = headers[`${WAITING}key`]
  for (const name of ['topic', 'partition', 'offset', 'key']) delete headers[WAITING + name]
  const timestampMs = Number(headerText(headers, RECORDED_AT) ?? '0')
  const envelope = decodeEnvelope(headers, { topic, partition, offset, timestampMs })
  const stored = { topic, key: key === undefined ? null : Buffer.from(key), value: record.value, headers }
  const member = { eventId: envelope.id, topic, partition, offset, record: encodeRecords([stored]) }
  return { flowId: envelope.flowId, member }
}

/** Reads a stored member back. @throws LABAN_FORMAT_TOO_NEW, LABAN_INVARIANT */
export function decodeMember(member: JoinMember): WorkPart {
  const record = decodeRecords(member.record)[0]
  if (record === undefined)
    throw new LabanError('LABAN_INVARIANT', { problem: `join member ${member.eventId} holds no record` })
  const { topic, partition, offset } = member
  const timestampMs = Number((record.headers[RECORDED_AT] ?? '0').toString())
  const envelope = decodeEnvelope(record.headers, { topic, partition, offset, timestampMs })
  return {
    topic,
    partition,
    offset,
    timestampMs,
    key: record.key,
    value: record.value,
    headers: record.headers,
    envelope,
    keyText: keyText(record.key, envelope.flowId),
  }
}

/** The last value of each header. */
export function lastValues(headers: ReceivedHeaders): Record<string, string | Buffer> {
  const single: Record<string, string | Buffer> = {}
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value)
      ? (value as readonly (string | Buffer)[]).at(-1)
      : (value as string | Buffer | undefined)
    if (last !== undefined) single[name] = last
  }
  return single
}
