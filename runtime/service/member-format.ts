/** A join member as it is stored until the others arrive: the record with its envelope and timestamp in headers. */
import { decodeEnvelope, encodeEnvelope, type ReceivedHeaders } from '../../contracts/envelope.ts'
import { LabanError } from '../../contracts/errors.ts'
import { decodeRecords, encodeRecords, type StoredRecord } from '../../contracts/record-format.ts'
import type { JoinMember } from '../ports/claim-store.ts'
import { keyText, type WorkPart } from './work.ts'

/** Header with the record's own timestamp. */
export const RECORDED_AT = 'laban-recorded-at'
/** Version of the record on the `waiting` topic; a laban that recovers from it refuses a newer one. */
const FORMAT = { 'laban-waiting-format': '1' }

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

/** A record of a handling as the join store keeps it. */
/** A part as the store keeps it. */
export function encodeMember(part: WorkPart): JoinMember {
  const { topic, partition, offset, envelope } = part
  return { eventId: envelope.id, topic, partition, offset, record: encodeRecords([memberRecord(part)]) }
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

function lastValues(headers: ReceivedHeaders): Record<string, string | Buffer> {
  const single: Record<string, string | Buffer> = {}
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value)
      ? (value as readonly (string | Buffer)[]).at(-1)
      : (value as string | Buffer | undefined)
    if (last !== undefined) single[name] = last
  }
  return single
}
