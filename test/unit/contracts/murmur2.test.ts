/** The key hash must place every key where Kafka's own clients place it. */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur2, partitionOfKey } from '../../../contracts/murmur2.ts'

const reference = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
  key: Buffer,
) => number

describe('murmur2', () => {
  it.each([
    // The vectors of Kafka's own UtilsTest.
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  it('agrees with kafkajs on any bytes, at any position of a larger buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(7), (bytes, shift) => {
        const slice = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift)
        expect(murmur2(slice)).toBe(reference(Buffer.from(bytes)))
      }),
      { numRuns: 2000 },
    )
  })

  it('gives a partition in range, the same for text and its bytes', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 200 }), (key, partitions) => {
        const partition = partitionOfKey(key, partitions)
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(partitions)
        expect(partitionOfKey(Buffer.from(key), partitions)).toBe(partition)
      }),
    )
  })
})
