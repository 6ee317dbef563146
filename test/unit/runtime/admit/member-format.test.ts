/** An event that is stored until its turn comes is the same event: nothing is added to its content, and its time and identity are kept. */
import { describe, expect, it } from 'vitest'
import { decodeEnvelope, encodeEnvelope, type ReceivedHeaders } from '../../../../contracts/envelope.ts'
import { deriveId } from '../../../../contracts/ids.ts'
import { decodeMember, encodeMember, memberRecord } from '../../../../runtime/admit/member-format.ts'
import type { WorkPart } from '../../../../runtime/admit/work-part.ts'

const POSITION = { topic: 'a.topic', partition: 3, offset: 41, timestampMs: 1_700_000_000_123 }
const ID = deriveId('an event')

function part(headers: ReceivedHeaders): WorkPart {
  const envelope = decodeEnvelope(headers, POSITION)
  return { ...POSITION, key: Buffer.from('key'), value: Buffer.from('value'), headers, envelope, keyText: 'key' }
}

function cloudEvent(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
  return Object.fromEntries(texts.filter(([name]) => name.startsWith('ce_')))
}

describe('a stored event', () => {
  it.each([
    ['says no time', {}],
    ['says its time', { time: '2026-01-02T03:04:05.000Z' }],
  ])('that %s has the ce_* headers that it had, and is read back the same', (_, time) => {
    const headers = encodeEnvelope({ id: ID, type: 'a.topic', source: 'a', flowId: ID, causes: [], hop: 0, ...time })
    const original = part(headers)
    expect(cloudEvent(memberRecord(original).headers)).toEqual(cloudEvent(headers))
    expect(decodeMember(encodeMember(original)).envelope).toEqual(original.envelope)
  })

  it("that is somebody else's keeps the identity and the time that derive from where it lay", () => {
    const { id, time } = part({ ce_time: 'yesterday' }).envelope
    expect(decodeMember(encodeMember(part({ ce_time: 'yesterday' }))).envelope).toMatchObject({ id, flowId: id, time })
  })
})
