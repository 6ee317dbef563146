/** Join members as fields of a hash: version `1`, `m`, event id, partition, offset, record; only the id remains after the join (`1d`). */
import { uuidFromBytes, uuidToBytes } from '../../../contracts/ids.ts'
import type { JoinMember } from '../../ports/claim-store.ts'
import { checkVersion } from './values.ts'

const HEAD_BYTES = 30
const UINT32 = 2 ** 32

/** The value of one member; its topic is the field. */
export function encodeMember(member: JoinMember): Buffer {
  const value = Buffer.allocUnsafe(HEAD_BYTES + member.record.length)
  value.write('1m', 0, 'latin1')
  uuidToBytes(member.eventId).copy(value, 2)
  value.writeInt32BE(member.partition, 18)
  value.writeUInt32BE(Math.floor(member.offset / UINT32), 22)
  value.writeUInt32BE(member.offset % UINT32, 26)
  member.record.copy(value, HEAD_BYTES)
  return value
}

/** What remains of a member when its join has fired. */
export function encodeDoneMember({ eventId }: JoinMember): Buffer {
  return Buffer.concat([Buffer.from('1d', 'latin1'), uuidToBytes(eventId)])
}

/** @throws LABAN_FORMAT_TOO_NEW */
export function decodeMember(topic: string, value: Buffer): JoinMember {
  checkVersion(value, 'A join member')
  return {
    eventId: uuidFromBytes(value, 2),
    topic,
    partition: value.readInt32BE(18),
    offset: value.readUInt32BE(22) * UINT32 + value.readUInt32BE(26),
    record: value.subarray(HEAD_BYTES),
  }
}
