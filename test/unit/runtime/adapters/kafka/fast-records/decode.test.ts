import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLabanError } from '../../../../../../contracts/errors.ts'
import { decodeBatches } from '../../../../../../runtime/adapters/kafka/fast-records/decode-batches.ts'
import { encodeBatch } from '../../../../../../runtime/adapters/kafka/fast-records/encode-batch.ts'
import { decodeRecordBatch, Decoder } from '../../../../../../runtime/adapters/kafka/kafkajs-internals.ts'
import { toRecord } from '../../../../../../runtime/adapters/kafka/records.ts'
import { messages } from './arbitraries.ts'

const identity = { producerId: '7', producerEpoch: 1, firstSequence: 0 }
const noCodec = (): Promise<Buffer> => Promise.reject(new TypeError('not compressed'))

describe('decodeBatches', () => {
  it('reads what kafkajs reads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(messages(), { maxLength: 3 }), async (batches) => {
        const encoded = batches.map((batch) => encodeBatch(batch, identity))
        const ours = await decodeBatches(Buffer.concat(encoded), noCodec)
        const theirs = await Promise.all(encoded.map((bytes) => decodeRecordBatch(new Decoder(bytes))))
        expect(ours.map(toRecord).map(plain)).toEqual(theirs.flatMap(({ records }) => records.map(toRecord).map(plain)))
      }),
      { numRuns: 300 },
    )
  })

  it('reads offsets and times beyond 32 bits', async () => {
    const batch = encodeBatch([{ key: null, value: null, headers: {}, timestamp: 4_102_444_800_000 }], identity)
    batch.writeBigInt64BE(2n ** 53n - 2n, 0)
    const [message] = await decodeBatches(batch, noCodec)
    expect(message).toMatchObject({ offset: 2 ** 53 - 2, timestampMs: 4_102_444_800_000, isControlRecord: false })
  })

  it('marks what is not for readers', async () => {
    const batch = encodeBatch([{ key: Buffer.alloc(4), value: null, headers: {}, timestamp: 1 }], identity)
    batch.writeInt16BE(0x30, 21)
    const [message] = await decodeBatches(batch, noCodec)
    expect(message).toMatchObject({ isControlRecord: true, batchContext: { producerId: '7', inTransaction: true } })
  })

  it('takes the time of appending where the topic says so', async () => {
    const batch = encodeBatch(
      [1, 2].map((timestamp) => ({ key: null, value: null, headers: {}, timestamp })),
      identity,
    )
    batch.writeInt16BE(0x08, 21)
    batch.writeBigInt64BE(99n, 35)
    expect((await decodeBatches(batch, noCodec)).map(({ timestampMs }) => timestampMs)).toEqual([99, 99])
  })

  it('keeps the prototype of headers out of reach', async () => {
    const headers = Object.fromEntries([
      ['__proto__', 'evil'],
      ['good', 'yes'],
    ]) as Record<string, string>
    const [message] = await decodeBatches(
      encodeBatch([{ key: null, value: null, headers, timestamp: 1 }], identity),
      noCodec,
    )
    expect(Object.keys(message?.headers ?? {})).toEqual(['good'])
    expect(Object.getPrototypeOf(message?.headers)).toBe(Object.prototype)
  })

  it('refuses broken bytes and never does anything else', async () => {
    const whole = encodeBatch([{ key: 'k', value: Buffer.from('value'), headers: { a: 'b' }, timestamp: 1 }], identity)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), async (changes) => {
        const damaged = Buffer.from(whole)
        for (const [at, byte] of changes) damaged[at] = byte
        try {
          await decodeBatches(damaged, () => Promise.resolve(Buffer.alloc(0)))
        } catch (error) {
          expect(isLabanError(error), String(error)).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

function plain({ offset, timestampMs, key, value, headers }: ReturnType<typeof toRecord>): object {
  const bytes = Object.entries(headers).map(([name, header]) => [
    name,
    [header ?? ''].flat().map((one) => Buffer.from(one)),
  ])
  return { offset, timestampMs, key, value, headers: Object.fromEntries(bytes) as object }
}
