/** Dead letters: raw bytes, all that came with them, and a bounded account of why, however often a record dies. */
import { describe, expect, it } from 'vitest'
import { decodeEnvelope, headerText } from '../../../../contracts/envelope.ts'
import { LabanError } from '../../../../contracts/errors.ts'
import {
  accountOf,
  deadLetterRecord,
  type DeadLetterReason,
  type DeadLetterSource,
} from '../../../../runtime/handle/dead-letter.ts'
import { recordBytes } from '../../../../runtime/publish/record-size.ts'

const position = { topic: 'test.in', partition: 2, offset: 41, timestampMs: 1_700_000_000_000 }

function source(parts: Partial<DeadLetterSource> = {}): DeadLetterSource {
  const headers = parts.headers ?? {}
  const envelope = decodeEnvelope(headers, position)
  return { ...position, key: Buffer.from('key'), value: Buffer.from([0, 1, 2, 255]), headers, envelope, ...parts }
}

function reason(error: LabanError, attempts = 3): DeadLetterReason {
  const cause = { agentVersion: '1.0.0', instance: 'i', error, attempts, failedAtMs: 1_700_000_001_000, parks: true }
  const account = accountOf({ agent: 'test.agent', ...cause })
  return { agent: 'test.agent', generation: 2, handlingId: 'h', account }
}

const failed = (cause?: unknown): LabanError =>
  new LabanError('LABAN_HANDLER_FAILED', { agent: 'test.agent', problem: 'no' }, cause === undefined ? {} : { cause })

describe('a dead letter', () => {
  it('holds key and value byte for byte, every original header, and where it lay', () => {
    const headers = { traceparent: Buffer.from('00-x'), twice: [Buffer.from('a'), Buffer.from('b')] }
    const letter = deadLetterRecord(source({ headers }), reason(failed()))
    expect(letter).toMatchObject({ topic: 'test.agent.dead-letter', key: Buffer.from('key') })
    expect(letter.value).toEqual(Buffer.from([0, 1, 2, 255]))
    expect(letter.headers).toMatchObject({
      ...headers,
      'laban-dlq-topic': 'test.in',
      'laban-dlq-partition': '2',
      'laban-dlq-offset': '41',
      'laban-dlq-timestamp': '1700000000000',
      'laban-dlq-reason': 'LABAN_HANDLER_FAILED',
      'laban-dlq-attempts': '3',
      'laban-dlq-failed-at': '2023-11-14T22:13:21.000Z',
    })
  })

  it('carries the id that a foreign event had, which its new place would change', () => {
    const record = source()
    expect(deadLetterRecord(record, reason(failed())).headers['laban-dlq-event-id']).toBe(record.envelope.id)
  })

  it('names the cause, not its wrapper', () => {
    const { headers } = deadLetterRecord(source(), reason(failed(new RangeError('out of range'))))
    expect(headers['laban-dlq-error-class']).toBe('RangeError')
    expect(headers['laban-dlq-error-message']).toContain('out of range')
    expect(headers['laban-dlq-stack']).toContain('RangeError: out of range')
  })

  it('of a dead letter replaces its account and never grows', () => {
    let headers: DeadLetterSource['headers'] = { ce_id: 'x' }
    let size = 0
    for (let death = 1; death <= 20; death++) {
      const letter = deadLetterRecord(source({ headers }), reason(failed(new Error('again')), death))
      headers = letter.headers
      if (death === 10) size = recordBytes(letter)
      if (death > 10) expect(recordBytes(letter)).toBe(size)
    }
    expect(headerText(headers, 'laban-dlq-attempts')).toBe('20')
    expect(headerText(headers, 'ce_id')).toBe('x')
  })

  it('is bounded whatever was thrown', () => {
    const monster = Object.assign(new Error('m'.repeat(1e6)), { name: 'n'.repeat(1e6), stack: 's'.repeat(1e6) })
    const strange = Object.assign(new Error('x'), { name: 7, stack: [1, 2] })
    for (const cause of [monster, strange, 'text'.repeat(1e6), { deep: 'd'.repeat(1e6) }, null])
      expect(recordBytes(deadLetterRecord(source(), reason(failed(cause))))).toBeLessThan(10_000)
  })

  it('says that a tombstone was one, and puts a record without a key where it can be found', () => {
    const letter = deadLetterRecord(source({ key: null, value: null }), reason(failed()))
    expect(letter).toMatchObject({ key: null, value: null, partition: 0 })
    expect(letter.headers['laban-dlq-tombstone']).toBe('true')
  })
})
