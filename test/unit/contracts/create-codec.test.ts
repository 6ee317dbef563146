import { beforeEach, describe, expect, it } from 'vitest'
import type { EventCodec } from '../../../contracts/codec.ts'
import type { AvroSchema } from '../../../contracts/contract.ts'
import { createContractSet, type ContractSet } from '../../../contracts/contract-set.ts'
import { createCodec } from '../../../contracts/create-codec.ts'
import { LabanError } from '../../../contracts/errors.ts'
import { createFolderRegistry } from '../../../contracts/registry-folder.ts'
import type { SchemaRegistry } from '../../../contracts/registry.ts'
import { derivedSchemaId, resolveSchemaIds } from '../../../contracts/schema-ids.ts'
import { WIRE_HEADER_BYTES } from '../../../contracts/wire-format.ts'

const COLOR = { type: 'enum', name: 'Color', symbols: ['red', 'green', 'other'], default: 'other' }
const FIELDS = [
  { name: 'amount', type: 'int' },
  { name: 'total', type: 'long', default: 0 },
  { name: 'note', type: ['null', 'string'], default: null },
  { name: 'color', type: COLOR, default: 'other' },
  { name: 'lines', type: { type: 'array', items: 'string' }, default: [] },
]
const schemaWith = (fields: readonly unknown[]): AvroSchema => ({
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields,
})
const TOPIC = 'shop.order-placed'
const WHERE = { partition: 3, offset: 42 }
const VALUE = { amount: 7, total: 2 ** 52, note: 'é', color: 'green', lines: ['a', 'b'] }

const contracts = createContractSet({
  [TOPIC]: {
    schema: schemaWith(FIELDS),
    rules: [{ name: 'positive', expression: 'event.amount > 0 && event.total >= 0' }],
  },
  'shop.read-rule': {
    schema: schemaWith(FIELDS),
    rules: [{ name: 'read-only', expression: 'event.amount > 0', on: ['read'] }],
  },
  'shop.other': { schema: { type: 'record', name: 'Other', namespace: 'shop', fields: [{ name: 'x', type: 'int' }] } },
})

async function codecOf(set: ContractSet, registry: SchemaRegistry, nowMs?: () => number): Promise<EventCodec> {
  const schemaIds = await resolveSchemaIds(set, createFolderRegistry(set), set.topics.keys(), {
    register: false,
    namespace: '',
  })
  return createCodec({ contracts: set, registry, schemaIds, ...(nowMs === undefined ? {} : { nowMs }) })
}

/** A codec whose topic has another version of the schema: an older or newer producer. */
async function producerWith(fields: readonly unknown[]): Promise<EventCodec> {
  const set = createContractSet({ [TOPIC]: { schema: schemaWith(fields) } })
  return codecOf(set, createFolderRegistry(set))
}

function decodeError(run: () => unknown): LabanError {
  try {
    run()
  } catch (error) {
    if (error instanceof LabanError) return error
    throw error
  }
  throw new TypeError('nothing was thrown')
}

let codec: EventCodec
beforeEach(async () => {
  codec = await codecOf(contracts, createFolderRegistry(contracts))
})

describe('encode and decode', () => {
  it('round-trips a value as a plain object behind the Confluent header', () => {
    const bytes = codec.encode(TOPIC, VALUE)
    expect([bytes[0], bytes.readUInt32BE(1)]).toEqual([0, derivedSchemaId(contracts.get(TOPIC).schemaText)])
    const decoded = codec.decode(TOPIC, bytes, WHERE)
    expect(decoded).toStrictEqual({ value: VALUE })
  })

  it('fills omitted fields with their defaults, before rules look', () => {
    const decoded = codec.decode(TOPIC, codec.encode(TOPIC, { amount: 1 }), WHERE)
    expect(decoded).toStrictEqual({ value: { amount: 1, total: 0, note: null, color: 'other', lines: [] } })
  })

  it.each([2 ** 52 + 1, 2 ** 53 - 1, -(2 ** 52) - 1, -(2 ** 53) + 1, 2 ** 30, -(2 ** 30)])(
    'keeps sign and value of the long %i',
    async (amount) => {
      const long = { 'shop.long': { schema: schemaWith([{ name: 'amount', type: 'long' }]) } }
      const set = createContractSet(long)
      const writer = await codecOf(set, createFolderRegistry(set))
      const bytes = writer.encode('shop.long', { amount })
      expect(writer.decode('shop.long', bytes, WHERE)).toStrictEqual({ value: { amount } })
      const wide = createContractSet({ 'shop.long': { schema: schemaWith([{ name: 'amount', type: 'double' }]) } })
      const reader = await codecOf(wide, createFolderRegistry(set))
      await reader.load(bytes.readUInt32BE(1))
      expect(reader.decode('shop.long', bytes, WHERE)).toStrictEqual({ value: { amount } })
    },
  )

  it('never changes bytes it has handed out', () => {
    const first = codec.encode(TOPIC, VALUE)
    const copy = Buffer.from(first)
    for (let index = 0; index < 5_000; index++) codec.encode(TOPIC, { ...VALUE, note: `note ${index}` })
    expect(first.equals(copy)).toBe(true)
  })

  it('takes values larger than its buffers', () => {
    const note = 'x'.repeat(1_000_000)
    for (const amount of [1, 2]) {
      expect(codec.decode(TOPIC, codec.encode(TOPIC, { amount, note }), WHERE)).toMatchObject({
        value: { amount, note },
      })
    }
  })

  it('does not know topics without a contract', () => {
    expect(() => codec.encode('shop.order-place', VALUE)).toThrow(/did you mean "shop\.order-placed"/)
  })
})

describe('encode says what does not fit', () => {
  it.each([
    [{ ...VALUE, amount: '7' }, 'amount', 'expected int, found "7"'],
    [{ ...VALUE, amount: 1.5 }, 'amount', 'expected int, found 1.5'],
    [{ total: 1 }, 'amount', 'expected int, found nothing'],
    [{ ...VALUE, total: 2 ** 53 }, 'total', 'expected long, found 9007199254740992'],
    [{ ...VALUE, color: 'blue' }, 'color', 'expected one of red, green, other, found "blue"'],
    [{ ...VALUE, note: 1 }, 'note', 'expected string or null, found 1'],
    [{ ...VALUE, lines: ['a', 2] }, 'lines.1', 'expected string, found 2'],
    [null, 'value', 'expected shop.Order, found null'],
    ['text', 'value', 'expected shop.Order, found "text"'],
  ])('%j at %s', (value, path, problem) => {
    const error = decodeError(() => codec.encode(TOPIC, value))
    expect(error).toMatchObject({ code: 'LABAN_CONTRACT_VALIDATION', errorClass: 'terminal' })
    expect(error.details).toEqual({ topic: TOPIC, path, problem })
  })

  it('checks rules on write and on read, where they are meant to hold', () => {
    expect(() => codec.encode(TOPIC, { amount: 0 })).toThrow(expect.objectContaining({ code: 'LABAN_CONTRACT_RULE' }))
    const bytes = codec.encode('shop.read-rule', { amount: 0 })
    const error = decodeError(() => codec.decode('shop.read-rule', bytes, WHERE))
    expect(error).toMatchObject({ code: 'LABAN_CONTRACT_RULE', errorClass: 'terminal', details: { rule: 'read-only' } })
  })
})

describe('decode of bytes that are not a value', () => {
  const header = (schemaId: number): Buffer => {
    const bytes = Buffer.alloc(WIRE_HEADER_BYTES)
    bytes.writeUInt32BE(schemaId, 1)
    return bytes
  }
  const ownId = derivedSchemaId(contracts.get(TOPIC).schemaText)
  const body = (hex: string): Buffer => Buffer.concat([header(ownId), Buffer.from(hex, 'hex')])

  it.each([
    ['null', null, /tombstone/],
    ['nothing', Buffer.alloc(0), /0 bytes/],
    ['text', Buffer.from('{"amount":1}'), /first byte is 0x7b/],
    ['a header alone', header(ownId), /amount: the bytes end too early/],
    ['an unknown enum symbol', body('0e000012'), /color: the enum has 3 symbols/],
    ['an unknown union branch', body('0e0004'), /note: the union has 2 branches/],
    ['a string longer than the record', body('0e0002fe01'), /note: the bytes end too early/],
    ['a list that claims 2^62 items', body('0e00000080808080808080808001'), /lines: |too early/],
    ['a long beyond 2^53', body('0effffffffffffffffff0100000000'), /total: the long lies beyond 2\^53/],
    ['an int beyond 32 bits', body('ffffffffff0f00000000'), /amount: .* is no 32-bit int/],
  ])('%s', (_what, bytes, message) => {
    const startedAtMs = performance.now()
    const error = decodeError(() => codec.decode(TOPIC, bytes, WHERE))
    expect(error).toMatchObject({ code: 'LABAN_CONTRACT_DECODE', errorClass: 'terminal' })
    expect(error.message).toMatch(message)
    expect(error.message).toContain(`${TOPIC}/3@42`)
    expect(performance.now() - startedAtMs).toBeLessThan(1_000)
  })

  it('refuses every truncation and every trailing byte', () => {
    const bytes = codec.encode(TOPIC, VALUE)
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeError(() => codec.decode(TOPIC, bytes.subarray(0, length), WHERE)).code).toBe(
        'LABAN_CONTRACT_DECODE',
      )
    }
    expect(() => codec.decode(TOPIC, Buffer.concat([bytes, Buffer.of(0)]), WHERE)).toThrow(/1 bytes follow the value/)
  })

  it('refuses a value of another topic', () => {
    const bytes = codec.encode('shop.other', { x: 1 })
    expect(() => codec.decode(TOPIC, bytes, WHERE)).toThrow(/schema \d+ \(shop\.Other\) does not fit this topic/)
  })
})

describe('decode of other versions', () => {
  it('reads an older writer into its own schema, after loading the writer’s', async () => {
    const old = await producerWith(FIELDS.slice(0, 1))
    const bytes = old.encode(TOPIC, { amount: 7 })
    const set = createContractSet({ [TOPIC]: { schema: schemaWith(FIELDS.slice(0, 1)) } })
    const reader = await codecOf(contracts, createFolderRegistry(set))
    const schemaId = bytes.readUInt32BE(1)
    expect(reader.decode(TOPIC, bytes, WHERE)).toEqual({ loadSchemaId: schemaId })
    await reader.load(schemaId)
    const expected = { value: { amount: 7, total: 0, note: null, color: 'other', lines: [] } }
    expect(reader.decode(TOPIC, bytes, WHERE)).toStrictEqual(expected)
  })

  it('reads a newer writer: unknown fields go, an unknown symbol becomes the default', async () => {
    const newer = FIELDS.map((field) =>
      field.name === 'color' ? { ...field, type: { ...COLOR, symbols: ['blue', ...COLOR.symbols] } } : field,
    )
    const fields = [{ name: 'extra', type: { type: 'map', values: 'long' }, default: {} }, ...newer]
    const set = createContractSet({ [TOPIC]: { schema: schemaWith(fields) } })
    const bytes = (await producerWith(fields)).encode(TOPIC, { ...VALUE, extra: { a: 1 }, color: 'blue' })
    const reader = await codecOf(contracts, createFolderRegistry(set))
    await reader.load(bytes.readUInt32BE(1))
    expect(reader.decode(TOPIC, bytes, WHERE)).toStrictEqual({ value: { ...VALUE, color: 'other' } })
  })
})

describe('load', () => {
  function registryOf(schemaById: SchemaRegistry['schemaById']): SchemaRegistry {
    return Object.assign(createFolderRegistry(contracts), { schemaById })
  }

  it('asks once for an id, however many wait for it', async () => {
    let calls = 0
    const registry = registryOf(() => {
      calls++
      return Promise.resolve('string')
    })
    const fresh = await codecOf(contracts, registry)
    await Promise.all([fresh.load(7), fresh.load(7), fresh.load(7)])
    await fresh.load(7)
    expect(calls).toBe(1)
  })

  it('remembers an unknown id for a minute, then asks again', async () => {
    let calls = 0
    let nowMs = 0
    const registry = registryOf((schemaId) => {
      calls++
      return Promise.reject(new LabanError('LABAN_CONTRACT_UNKNOWN_SCHEMA', { schemaId }))
    })
    const fresh = await codecOf(contracts, registry, () => nowMs)
    const unknown = { code: 'LABAN_CONTRACT_UNKNOWN_SCHEMA' }
    for (const at of [0, 1, 59_999]) {
      nowMs = at
      await expect(fresh.load(7)).rejects.toMatchObject(unknown)
    }
    expect(calls).toBe(1)
    nowMs = 60_000
    await expect(fresh.load(7)).rejects.toMatchObject(unknown)
    expect(calls).toBe(2)
  })

  it('does not remember that the registry was away', async () => {
    let isUp = false
    const registry = registryOf(() => {
      if (isUp) return Promise.resolve('string')
      return Promise.reject(new LabanError('LABAN_REGISTRY_UNAVAILABLE', { url: 'x', problem: 'down' }))
    })
    const fresh = await codecOf(contracts, registry)
    await expect(fresh.load(7)).rejects.toMatchObject({ code: 'LABAN_REGISTRY_UNAVAILABLE' })
    isUp = true
    await fresh.load(7)
  })

  it('takes a schema that cannot be used for a fault of its records', async () => {
    const fresh = await codecOf(
      contracts,
      registryOf(() => Promise.resolve({ type: 'nonsense' })),
    )
    await fresh.load(7)
    const bytes = Buffer.from('0000000007', 'hex')
    expect(() => fresh.decode(TOPIC, bytes, WHERE)).toThrow(expect.objectContaining({ code: 'LABAN_CONTRACT_DECODE' }))
  })
})

describe('resolveSchemaIds', () => {
  it('names subject and topic of a contract that is not registered', async () => {
    const empty = createFolderRegistry(createContractSet({}))
    const options = { register: false, namespace: 'team' }
    await expect(resolveSchemaIds(contracts, empty, [TOPIC], options)).rejects.toMatchObject({
      code: 'LABAN_SCHEMA_MISSING',
      details: { topic: TOPIC, subject: `team.${TOPIC}-value` },
    })
    expect(await resolveSchemaIds(contracts, empty, [TOPIC], { ...options, register: true })).toEqual(
      new Map([[TOPIC, derivedSchemaId(contracts.get(TOPIC).schemaText)]]),
    )
  })

  it('finds the folder’s subjects with and without a namespace', async () => {
    const registry = createFolderRegistry(contracts)
    for (const namespace of ['', 'team']) {
      const ids = await resolveSchemaIds(contracts, registry, [TOPIC, 'laban.facts'], { register: false, namespace })
      expect(ids.get(TOPIC)).toBe(derivedSchemaId(contracts.get(TOPIC).schemaText))
    }
  })
})
