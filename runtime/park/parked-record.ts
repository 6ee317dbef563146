/**
 * Records of `<agent>.parked`: one per event that waits or has failed, named by where the event lies, ended by a tombstone. A waiting
 * event stands there with its body; a failed one without, because its record is in a retry topic or among the dead letters.
 */
import { agentTopic } from '../../contracts/contract.ts'
import { headerText, type ReceivedHeaders } from '../../contracts/envelope.ts'
import { decodeRecords, encodeRecords, type StoredRecord } from '../../contracts/record-format.ts'
import type { OutgoingRecord } from '../ports/broker.ts'
import type { LanePlace } from '../ports/parking-store.ts'

/** Epoch milliseconds from which the dead letter of a failed event is forgotten: nobody can redrive it any more. */
const FORGOTTEN_HEADER = 'laban-parked-until'

/** The record of an event that waits. */
export function parkedRecord(agent: string, place: LanePlace, body: StoredRecord): OutgoingRecord {
  return { ...addressOf(agent, place), value: encodeRecords([body]), headers: {} }
}

/** The record of an event that has failed; without a time something will become of it by itself. */
export function failedRecord(agent: string, place: LanePlace, forgottenAtMs?: number): OutgoingRecord {
  const headers = forgottenAtMs === undefined ? {} : { [FORGOTTEN_HEADER]: String(forgottenAtMs) }
  return { ...addressOf(agent, place), value: encodeRecords([]), headers }
}

/** When the dead letter is forgotten; Infinity for never. */
export function forgottenAtMs(headers: ReceivedHeaders): number {
  return Number(headerText(headers, FORGOTTEN_HEADER) ?? 'Infinity')
}

/** The record that ends the one of this place. */
export function parkedTombstone(agent: string, place: LanePlace): OutgoingRecord {
  return { ...addressOf(agent, place), value: null, headers: {} }
}

/** The body of an event that waits; undefined for one that has failed. @throws LABAN_FORMAT_TOO_NEW */
export function parkedBody(value: Buffer): StoredRecord | undefined {
  return decodeRecords(value)[0]
}

/** The place that a record is about; undefined for a key that laban did not write. */
export function parkedPlace(key: Buffer): LanePlace | undefined {
  const bars: number[] = []
  for (let at = key.indexOf('|'); at >= 0 && bars.length < 3; at = key.indexOf('|', at + 1)) bars.push(at)
  const [first, second, third] = bars
  if (first === undefined || second === undefined || third === undefined) return undefined
  const topic = key.toString('utf8', 0, first)
  const partition = Number(key.toString('utf8', first + 1, second))
  const offset = Number(key.toString('utf8', second + 1, third))
  return { topic, partition, offset, key: key.subarray(third + 1) }
}

/** Everything that waits in one partition stands in one partition of the parked topic: that is what is read to rebuild its index. */
function addressOf(agent: string, place: LanePlace): Pick<OutgoingRecord, 'topic' | 'partition' | 'key'> {
  const { topic, partition, offset, key } = place
  const head = Buffer.from(`${topic}|${partition}|${offset}|`)
  return { topic: agentTopic(agent, 'parked'), partition, key: Buffer.concat([head, key]) }
}
