import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from '../../../../../../runtime/adapters/kafka/fast-records/crc32c.ts'
import { encodeProduceRequest } from '../../../../../../runtime/adapters/kafka/fast-records/encode-produce.ts'
import { requests } from '../../../../../../runtime/adapters/kafka/kafkajs-internals.ts'
import type { ProducedBatch } from '../../../../../../runtime/adapters/kafka/produced.ts'
import { messages } from './arbitraries.ts'

const identity = { producerId: '9007199254740993', producerEpoch: 3 }

describe('encodeProduceRequest', () => {
  it('writes what kafkajs writes, byte for byte', async () => {
    const batch = fc.record({ partition: fc.nat(100), messages: messages(), firstSequence: fc.nat(0x7fffffff) })
    const topic = fc.record({
      topic: fc.string({ unit: 'grapheme', minLength: 1 }),
      partitions: fc.array(batch, { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(topic, { maxLength: 3 }), async (topics) => {
        const topicData = topics.map(({ topic: name, partitions }) => ({
          topic: name,
          partitions: partitions.map((one): ProducedBatch => ({ ...one, physicalTopic: name })),
        }))
        const expected = await byKafkaJs(topicData)
        expect(encodeProduceRequest(topicData, identity, 10_000).equals(expected)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('crc32c', () => {
  it('knows the check value of its specification', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  })

  it('agrees with kafkajs for bytes of any length', () => {
    const reference = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/crc32C') as (
      bytes: Buffer,
    ) => number
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(crc32c(bytes)).toBe(reference(Buffer.from(bytes)))
      }),
    )
  })
})

async function byKafkaJs(topicData: readonly unknown[]): Promise<Buffer> {
  const build = requests['Produce']?.protocol({ version: 7 })
  const call = build?.({ acks: -1, timeout: 10_000, ...identity, topicData })
  const encoded = (await call?.request.encode()) as { readonly buffer: Buffer }
  return encoded.buffer
}
