/** What is written or read by hand for speed is what the general way gives: facts in Avro, envelopes as header blocks. */
import type avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EnvelopeBlocks } from '../../../contracts/envelope-block.ts'
import { encodeEnvelope, type SentEnvelope } from '../../../contracts/envelope.ts'
import { createContractSet } from '../../../contracts/contract-set.ts'
import { FACTS_TOPIC } from '../../../contracts/contract.ts'
import { scanAvro } from '../../../contracts/avro-scan.ts'
import { avroType } from '../../../contracts/avro-type.ts'
import type { Fact } from '../../../contracts/fact.ts'
import { writeFact } from '../../../contracts/fact-bytes.ts'
import { FactDecoder } from '../../../contracts/fact-decoder.ts'
import { HeaderBlock } from '../../../contracts/header-block.ts'

const text = fc.string({ unit: 'binary', maxLength: 80 }).filter((sample) => sample.isWellFormed())
const maybe = fc.option(text, { nil: null })
const int = fc.integer()
const long = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(2 ** 30, -(2 ** 30), 2 ** 31, 2 ** 53 - 1, 1 - 2 ** 53),
)
const facts: fc.Arbitrary<Fact> = fc.record({
  formatVersion: int,
  outcome: fc.constantFrom('completed', 'late'),
  flowId: text,
  agent: text,
  agentVersion: text,
  instance: text,
  handlingId: text,
  inputs: fc.array(
    fc.record({
      ...{ eventId: text, topic: text, partition: int, offset: long, hop: int, source: text },
      ...{ causes: fc.array(text, { maxLength: 3 }), recordedAtMs: long, key: maybe },
    }),
    { maxLength: 3 },
  ),
  ...{ attempt: int, startedAtMs: long, endedAtMs: long },
  ...{ errorCode: maybe, errorMessage: maybe, traceId: maybe, spanId: maybe },
  outputs: fc.array(fc.record({ eventId: text, topic: text, partition: int, offset: long, hash: text, key: maybe }), {
    maxLength: 3,
  }),
  steps: fc.array(
    fc.record({
      ...{ name: text, durationMs: long, replayed: fc.boolean() },
      cost: fc.option(fc.double({ noNaN: true }), { nil: null }),
    }),
    { maxLength: 2 },
  ),
  detail: fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    text,
    { maxKeys: 3, noNullPrototype: true },
  ),
})

describe('a fact written by hand', () => {
  const type: avsc.Type = avroType(createContractSet({}).get(FACTS_TOPIC).schema)

  it('has the bytes of the general encoder', () => {
    fc.assert(
      fc.property(facts, fc.nat(20), (fact, at) => {
        const target = Buffer.alloc(100_000)
        const end = writeFact(fact, target, at)
        expect(target.subarray(at, end)).toEqual(type.toBuffer(fact))
      }),
      { numRuns: 500 },
    )
  })

  it('says when the room may be too small, and fits into the room that it asked for', () => {
    fc.assert(
      fc.property(facts, (fact) => {
        const left = writeFact(fact, Buffer.alloc(10), 0)
        expect(left).toBeLessThan(0)
        expect(writeFact(fact, Buffer.alloc(10 - left), 0)).toBe(type.toBuffer(fact).length)
      }),
      { numRuns: 100 },
    )
  })
})

describe('a fact read by hand', () => {
  const type: avsc.Type = avroType(createContractSet({}).get(FACTS_TOPIC).schema)
  const decoder = new FactDecoder()
  const generally = (bytes: Buffer): unknown =>
    scanAvro(type, bytes, 0) === undefined ? type.fromBuffer(bytes) : undefined

  it('is what the general decoder reads, whatever was read before', () => {
    fc.assert(
      fc.property(facts, (fact) => {
        const bytes = type.toBuffer(fact)
        const read = decoder.decode(bytes, 0)
        // Only numbers that nothing in a fact reaches are left to the general decoder.
        if (read === undefined) expect(Math.max(...numbersIn(fact).map(Math.abs))).toBeGreaterThan(2 ** 47)
        else expect(read).toEqual(generally(bytes))
      }),
      { numRuns: 500 },
    )
  })

  it('is left to the general decoder, or is what that reads, when bytes are broken', () => {
    const broken = fc.record({ fact: facts, at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() })
    fc.assert(
      fc.property(broken, ({ fact, at, byte, cut }) => {
        const bytes = type.toBuffer(fact)
        const place = at % bytes.length
        bytes[place] = byte
        const given = cut ? bytes.subarray(0, place) : bytes
        const read = decoder.decode(given, 0)
        if (read !== undefined) expect(read).toEqual(generally(given))
      }),
      { numRuns: 2_000 },
    )
  })
})

function numbersIn(fact: Fact): readonly number[] {
  const { inputs, outputs, steps } = fact
  return [
    ...[fact.startedAtMs, fact.endedAtMs],
    ...inputs.flatMap(({ offset, recordedAtMs }) => [offset, recordedAtMs]),
    ...outputs.map(({ offset }) => offset),
    ...steps.map(({ durationMs }) => durationMs),
  ]
}

const maybeText = fc.option(text, { nil: undefined })
const envelopes: fc.Arbitrary<SentEnvelope> = fc
  .record({
    id: fc.uuid(),
    type: fc.constantFrom('a.b', 'grüße.c', 'long.topic-name'),
    source: fc.constantFrom('agent.one', 'zwei'),
    time: fc.constantFrom('2026-01-01T00:00:00.000Z', '+012026-01-01T00:00:00.000Z', undefined),
    flowId: fc.uuid(),
    causes: fc.array(fc.uuid(), { maxLength: 3 }),
    hop: fc.nat(300),
    traceparent: fc.constantFrom(`00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`, 'odd', undefined),
    tracestate: maybeText,
    baggage: maybeText,
    agentVersion: fc.constantFrom('1.0.0', '2', undefined),
    contentHash: fc.constantFrom('hash', undefined),
    deadlineAtMs: fc.option(fc.nat(), { nil: undefined }),
    originId: fc.option(fc.uuid(), { nil: undefined }),
  })
  .chain((envelope) =>
    fc.constantFrom(envelope, {
      ...envelope,
      tracestate: undefined,
      baggage: undefined,
      contentHash: undefined,
      deadlineAtMs: undefined,
      originId: undefined,
    }),
  ) as fc.Arbitrary<SentEnvelope>

describe('an envelope written from a template', () => {
  it('has the bytes of its headers written one by one, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(envelopes, { maxLength: 20 }), (list) => {
        const bySource = new Map<string, EnvelopeBlocks>()
        for (const envelope of list) {
          const encoder = bySource.get(`${envelope.source}/${envelope.agentVersion}`) ?? new EnvelopeBlocks()
          bySource.set(`${envelope.source}/${envelope.agentVersion}`, encoder)
          expect(encoder.encode(envelope).bytes).toEqual(HeaderBlock.of(encodeEnvelope(envelope)).bytes)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('holds whatever headers were received, repeated ones too', () => {
    const values = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
    const header = fc.oneof(values, fc.array(values, { minLength: 2, maxLength: 3 }))
    fc.assert(
      fc.property(fc.dictionary(fc.string(), header), (headers) => {
        expect(HeaderBlock.ofReceived(headers).toReceived()).toEqual({ ...headers })
      }),
    )
  })

  it('reads back as the headers it was written from', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const headers = encodeEnvelope(envelope)
        const read = HeaderBlock.of(headers).toHeaders()
        expect(Object.entries(read).map(([name, value]) => [name, value.toString()])).toEqual(Object.entries(headers))
      }),
    )
  })
})
