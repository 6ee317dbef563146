/** Our record batches read by Kafka's own Java classes, and theirs by ours: two programs that share no code must agree. */
import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { registerCodecs } from '../../../runtime/adapters/kafka/codecs.ts'
import { decodeBatches } from '../../../runtime/adapters/kafka/fast-records/decode-batches.ts'
import { encodeBatch } from '../../../runtime/adapters/kafka/fast-records/encode-batch.ts'
import { CompressionCodecs } from '../../../runtime/adapters/kafka/kafkajs-internals.ts'
import type { ProducedMessage } from '../../../runtime/adapters/kafka/produced.ts'
import { askJava, type JavaBatch, type JavaRecord, type JavaWrite } from '../../harness/java-records.ts'
import { messages } from '../../unit/runtime/adapters/kafka/fast-records/arbitraries.ts'

const CASES = 300
/** `LABAN_SEED` makes the same batches again. */
const seed = Number(process.env['LABAN_SEED'] ?? randomInt(2 ** 31))
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const identity = { producerId: '9007199254740993', producerEpoch: 3, firstSequence: 2_147_483_600 }
const FIRST_OFFSET = 2 ** 40
const MAGIC_AT = 16

/** Lengths and times that take every number of bytes which a varint can have here. */
const large: readonly ProducedMessage[] = [63, 64, 8_191, 8_192, 1_048_575, 1_048_576].map((bytes, index) => ({
  key: 'k'.repeat(Math.min(bytes, 10_000)),
  value: Buffer.alloc(bytes, index),
  headers: { ['h'.repeat(Math.min(bytes, 300))]: 'v'.repeat(Math.min(bytes, 9_000)), many: ['a', 'a', ''], none: [] },
  timestamp: 2 ** (8 * index),
}))

const samples = [...fc.sample(messages(), { seed, numRuns: CASES }), large]
/** Java measures times from the first record of a batch, ours from the least: equal bytes where both are the same. */
const ordered = samples.map((batch) => batch.toSorted((a, b) => a.timestamp - b.timestamp))
const javaWrites = samples.map((batch, index): JavaWrite => {
  const compression = COMPRESSIONS[index % COMPRESSIONS.length] ?? 'none'
  const records = batch
    .map(toJava)
    .map((record) => ({ ...record, headers: [...record.headers, ['null', null] as const] }))
  return { compression, baseOffset: FIRST_OFFSET, ...javaIdentity(), records }
})
const sameWrites = ordered.map((batch): JavaWrite => {
  return { compression: 'none', baseOffset: 0, ...javaIdentity(), records: batch.map(toJava) }
})
const ours = samples.map((batch) => encodeBatch(batch, identity))
const damaged = Buffer.from(ours.at(-1) ?? Buffer.alloc(0))
damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1

describe(`record batches (LABAN_SEED=${seed})`, () => {
  let answer: Awaited<ReturnType<typeof askJava>>

  beforeAll(async () => {
    registerCodecs()
    answer = await askJava({
      read: [...ours, Buffer.concat(ours.slice(0, 3)), damaged],
      write: [...javaWrites, ...sameWrites],
    })
  })

  it('of ours are valid for Java and say the same', () => {
    for (const [index, batch] of samples.entries()) expect(answer.read[index]).toEqual([asJavaReads(batch)])
  })

  it('of ours are told apart by Java when they follow each other', () => {
    expect(answer.read[samples.length]).toEqual(samples.slice(0, 3).map(asJavaReads))
  })

  it('with a bit that changed are refused by Java', () => {
    expect(answer.read[samples.length + 1]).toEqual([{ isValid: false }])
  })

  it('of Java are read by ours, in every compression', async () => {
    for (const [index, write] of javaWrites.entries()) {
      const decoded = await decodeBatches(answer.write[index] ?? Buffer.alloc(0), decompress)
      const records = decoded.map(({ offset, timestampMs, key, value, headers }) => ({
        offset,
        timestamp: timestampMs,
        key: base64(key),
        value: base64(value),
        headers: sorted(namedHeaders(headers ?? {})),
      }))
      // A header without a value is not handed on.
      const expected = write.records.map((record, at) => ({
        ...record,
        offset: FIRST_OFFSET + at,
        headers: sorted(record.headers.filter(([, value]) => value !== null)),
      }))
      expect(records, `${write.compression}, batch ${index}`).toEqual(expected)
    }
  })

  it('are the same bytes from both, from the checksum on', () => {
    for (const [index, batch] of ordered.entries()) {
      const theirs = answer.write[javaWrites.length + index] ?? Buffer.alloc(0)
      expect(encodeBatch(batch, identity).subarray(MAGIC_AT).equals(theirs.subarray(MAGIC_AT)), `batch ${index}`).toBe(
        true,
      )
    }
  })
})

function javaIdentity(): Pick<JavaWrite, 'producerId' | 'producerEpoch' | 'sequence'> {
  return { producerId: identity.producerId, producerEpoch: identity.producerEpoch, sequence: identity.firstSequence }
}

function asJavaReads(batch: readonly ProducedMessage[]): JavaBatch {
  return {
    isValid: true,
    baseOffset: 0,
    lastOffset: batch.length - 1,
    maxTimestamp: Math.max(...batch.map(({ timestamp }) => timestamp)),
    ...javaIdentity(),
    records: batch.map((message, offset) => ({ offset, ...toJava(message) })),
  }
}

function toJava({ timestamp, key, value, headers }: ProducedMessage): JavaRecord {
  return { timestamp, key: base64(key), value: base64(value), headers: namedHeaders(headers as Headers) }
}

type HeaderValue = string | Buffer
type Headers = Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>

function namedHeaders(headers: Headers): (readonly [string, string | null])[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as readonly HeaderValue[]) : [value as HeaderValue]).map(
      (one) => [name, base64(one)] as const,
    ),
  )
}

/** By name, those of one name in their order: an object does not keep more. */
function sorted(headers: readonly (readonly [string, string | null])[]): readonly (readonly [string, string | null])[] {
  return headers.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
}

function base64(value: HeaderValue | null): string | null {
  return value === null ? null : Buffer.from(value as string).toString('base64')
}

async function decompress(codec: number, bytes: Buffer): Promise<Buffer> {
  const lookUp = CompressionCodecs[codec as keyof typeof CompressionCodecs] as () => {
    decompress(bytes: Buffer): Promise<Buffer>
  }
  return lookUp().decompress(bytes)
}
