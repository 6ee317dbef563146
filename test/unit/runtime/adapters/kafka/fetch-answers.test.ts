import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { encodeBatch } from '../../../../../runtime/adapters/kafka/fast-records/encode-batch.ts'
import { decodeFetchAnswer, type RecordsCodec } from '../../../../../runtime/adapters/kafka/fetch-answers.ts'
import {
  Encoder,
  FetchedBatchClass,
  type KafkaEncoder,
} from '../../../../../runtime/adapters/kafka/kafkajs-internals.ts'

type Encoded = KafkaEncoder & {
  writeInt64(value: string): Encoded
  writeEncoder(value: KafkaEncoder): Encoded
  size(): number
}

const load = createRequire(import.meta.url)
const { RecordBatch } = load('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<Encoded>
}
const Record = load('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => Encoded

interface Batch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly offsets: readonly number[]
}

describe.each<RecordsCodec>(['fast', 'kafkajs'])('decodeFetchAnswer by %s', (codec) => {
  it('reads the records of an answer as kafkajs does', async () => {
    const { messages, highWatermark } = await decode(codec, [{ firstOffset: 5, lastOffset: 7, offsets: [5, 6, 7] }])
    expect(highWatermark).toBe('100')
    expect(
      messages.map(({ offset, value, isControlRecord }) => [Number(offset), value?.toString(), isControlRecord]),
    ).toEqual([
      [5, 'v5', false],
      [6, 'v6', false],
      [7, 'v7', false],
    ])
  })

  it.each<[string, readonly Batch[], number, readonly number[]]>([
    ['a batch without records', [{ firstOffset: 5, lastOffset: 9, offsets: [] }], 9, []],
    ['a batch that ends in missing records', [{ firstOffset: 5, lastOffset: 9, offsets: [5, 6] }], 9, [5, 6]],
    ['a batch with a gap', [{ firstOffset: 5, lastOffset: 9, offsets: [5, 9] }], 9, [5, 9]],
    [
      'several of them',
      [
        { firstOffset: 5, lastOffset: 6, offsets: [] },
        { firstOffset: 7, lastOffset: 9, offsets: [8] },
        { firstOffset: 10, lastOffset: 12, offsets: [] },
      ],
      12,
      [8],
    ],
  ])('steps over %s', async (_what, batches, lastOffset, delivered) => {
    const batch = new FetchedBatchClass('topic', '5', await decode(codec, batches))
    expect(batch.messages.map(({ offset }) => Number(offset))).toEqual(delivered)
    expect(Number(batch.lastOffset())).toBe(lastOffset)
  })

  it('reads a batch of more records than fit on a stack', async () => {
    const message = { key: null, value: null, headers: {}, timestamp: 1 }
    const identity = { producerId: '-1', producerEpoch: 0, firstSequence: 0 }
    const batch = encodeBatch(
      Array.from({ length: 150_000 }, () => message),
      identity,
    )
    const { messages } = await decodeBytes(codec, batch)
    expect(messages).toHaveLength(150_000)
  })

  it('leaves a batch that is cut off to the next fetch', async () => {
    const whole = await encode([{ firstOffset: 5, lastOffset: 6, offsets: [5, 6] }])
    const cut = await encode([{ firstOffset: 7, lastOffset: 8, offsets: [7, 8] }])
    const { messages } = await decodeBytes(codec, Buffer.concat([whole, cut.subarray(0, cut.length - 3)]))
    expect(messages.map(({ offset }) => Number(offset))).toEqual([5, 6])
  })
})

async function decode(codec: RecordsCodec, batches: readonly Batch[]): ReturnType<typeof decodeBytes> {
  return decodeBytes(codec, await encode(batches))
}

async function encode(batches: readonly Batch[]): Promise<Buffer> {
  const encoded = batches.map(async ({ firstOffset, lastOffset, offsets }) => {
    const records = offsets.map((offset) => {
      return Record({ offsetDelta: offset - firstOffset, timestampDelta: 0, key: null, value: `v${offset}` })
    })
    const fields = { firstTimestamp: 1, maxTimestamp: 1, records, lastOffsetDelta: lastOffset - firstOffset }
    return (await RecordBatch({ ...fields, firstOffset })).buffer
  })
  return Buffer.concat(await Promise.all(encoded))
}

async function decodeBytes(
  codec: RecordsCodec,
  records: Buffer,
): Promise<Awaited<ReturnType<typeof decodeFetchAnswer>>['responses'][number]['partitions'][number]> {
  const partition = encoder().writeInt32(3).writeInt16(0)
  const offsets = (partition as Encoded).writeInt64('100').writeInt64('100').writeInt64('0')
  offsets.writeArray([]).writeInt32(-1).writeInt32(records.length).writeBuffer(records)
  const topic = encoder().writeString('topic').writeArray([partition])
  const answer = encoder().writeInt32(0).writeInt16(0).writeInt32(0).writeArray([topic])
  const { responses } = await decodeFetchAnswer(answer.buffer, codec)
  const found = responses[0]?.partitions[0]
  expect(found?.partition).toBe(3)
  return found as NonNullable<typeof found>
}

function encoder(): KafkaEncoder {
  return new Encoder()
}
