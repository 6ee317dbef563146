import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLabanError } from '../../../../../contracts/errors.ts'
import { decompressLz4 } from '../../../../../runtime/adapters/kafka/lz4.ts'
import { decompressSnappy } from '../../../../../runtime/adapters/kafka/snappy.ts'

// What real brokers write is read in test/integration/kafka/consumer.test.ts.

describe('decompressSnappy', () => {
  it('reads literals and copies, also those that overlap', () => {
    // Length 11; literal "abc"; copy of 8 bytes from 3 back.
    expect(decompressSnappy(Buffer.from([11, 0x08, 0x61, 0x62, 0x63, 0x11, 0x03])).toString()).toBe('abcabcabcab')
  })

  it('reads the chunks of Java clients', () => {
    const block = Buffer.from([3, 0x08, 0x61, 0x62, 0x63])
    const length = Buffer.from([0, 0, 0, block.length])
    const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    expect(decompressSnappy(Buffer.concat([header, length, block, length, block])).toString()).toBe('abcabc')
  })

  it('refuses garbage and never does anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => endsWell(() => decompressSnappy(Buffer.from(bytes)))),
    )
  })
})

describe('decompressLz4', () => {
  const header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]
  const end = [0, 0, 0, 0]

  it('reads literals and matches, also those that overlap', () => {
    // Literals "abc", match of 8 bytes from 3 back; then literals "z".
    const block = [0x34, 0x61, 0x62, 0x63, 3, 0, 0x10, 0x7a]
    expect(decompressLz4(Buffer.from([...header, block.length, 0, 0, 0, ...block, ...end])).toString()).toBe(
      'abcabcabcabz',
    )
  })

  it('reads blocks that are not compressed', () => {
    expect(decompressLz4(Buffer.from([...header, 2, 0, 0, 0x80, 0x68, 0x69, ...end])).toString()).toBe('hi')
  })

  it('refuses garbage and never does anything else', () => {
    const garbage = fc.uint8Array({ maxLength: 80 })
    fc.assert(
      fc.property(garbage, (bytes) => {
        endsWell(() => decompressLz4(Buffer.from(bytes)))
        endsWell(() => decompressLz4(Buffer.from([...header, bytes.length, 0, 0, 0, ...bytes, ...end])))
      }),
    )
  })
})

function endsWell(work: () => Buffer): void {
  try {
    work()
  } catch (error) {
    expect(isLabanError(error), String(error)).toBe(true)
  }
}
