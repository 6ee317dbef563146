/** Records of every shape that the format has: no key, no value, text and bytes, headers repeated or none, times apart. */
import fc from 'fast-check'
import type { ProducedMessage } from '../../../../../../runtime/adapters/kafka/produced.ts'

/** A few records of one batch. */
export function messages(): fc.Arbitrary<readonly ProducedMessage[]> {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 300 }))
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
  const header = fc.oneof(text, bytes, fc.array(fc.oneof(text, bytes), { maxLength: 3 }))
  // kafkajs reads a header called `valueOf` as a repeated one, because every object has such a member.
  const name = fc.string({ unit: 'grapheme' }).filter((one) => !(one in {}))
  const message = fc.record({
    key: fc.oneof(fc.constant(null), text, bytes),
    value: fc.option(bytes, { nil: null }),
    headers: fc.dictionary(name, header, { maxKeys: 12, noNullPrototype: true }),
    // As many digits as any time of today: kafkajs sorts them as text.
    timestamp: fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
  })
  return fc.array(message, { minLength: 1, maxLength: 8 })
}
