import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createContractSet, loadContracts, type ContractSet } from '../../../contracts/contract-set.ts'

const ORDER = {
  type: 'record',
  name: 'OrderPlaced',
  namespace: 'shop',
  fields: [
    { name: 'customer', type: 'string' },
    { name: 'total', type: 'Money' },
    { name: 'discount', type: ['null', 'shop.Money'], default: null },
  ],
}
const MONEY = { type: 'record', name: 'Money', namespace: 'shop', fields: [{ name: 'amount', type: 'double' }] }
const TOPICS = { topics: { 'shop.order-placed': { schema: 'shop/order-placed.avsc', owner: 'shop' } } }

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'laban-contracts-'))
  write('avro/shop/order-placed.avsc', ORDER)
  write('avro/shop/money.avsc', MONEY)
  write('topics.json', TOPICS)
})
afterEach(() => rmSync(dir, { recursive: true }))

function write(path: string, json: unknown): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), typeof json === 'string' ? json : JSON.stringify(json))
}

function withRow(row: object, more: object = {}): () => ContractSet {
  const schema = { schema: 'shop/order-placed.avsc' }
  write('topics.json', { topics: { 'shop.order-placed': { ...schema, ...row } }, ...more })
  return () => loadContracts({ dir })
}

describe('loadContracts', () => {
  it('joins the topic table with schemas and fills defaults', () => {
    expect(loadContracts({ dir }).get('shop.order-placed')).toMatchObject({
      owner: 'shop',
      keyField: null,
      partitions: 6,
      replication: 1,
      minInsyncReplicas: 1,
      retentionMs: 604_800_000,
      maxRecordBytes: 1_048_576,
      cleanup: 'delete',
      rules: [],
    })
  })

  it('inlines types of other files once and refers to them by full name after', () => {
    const { schemaText } = loadContracts({ dir }).get('shop.order-placed')
    expect(schemaText.match(/"amount"/g)).toHaveLength(1)
    expect(schemaText).toContain('["null","shop.Money"]')
    expect(schemaText).not.toMatch(/\s/)
  })

  it('gives the same text however the file is written', () => {
    const { schemaText } = loadContracts({ dir }).get('shop.order-placed')
    const { namespace, ...rest } = ORDER
    write('avro/shop/order-placed.avsc', JSON.stringify({ ...rest, name: `${namespace}.${ORDER.name}` }, null, 4))
    expect(loadContracts({ dir }).get('shop.order-placed').schemaText).toBe(schemaText)
  })

  it('always has the topics of the platform', () => {
    const contracts = loadContracts({ dir })
    expect(contracts.get('laban.facts')).toMatchObject({
      partitions: 6,
      retentionMs: 30 * 86_400_000,
      cleanup: 'delete',
    })
    expect(contracts.get('laban.agents')).toMatchObject({ partitions: 1, retentionMs: -1, cleanup: 'compact' })
  })

  it('lets an environment override its own limits, the platform included', () => {
    withRow(
      { retention: '2d', replication: 1 },
      {
        defaults: { partitions: 3 },
        environments: {
          production: {
            defaults: { replication: 3, minInsyncReplicas: 2, partitions: 12 },
            topics: { 'shop.order-placed': { retention: -1, replication: 2 }, 'laban.facts': { retention: '90d' } },
          },
        },
      },
    )
    expect(loadContracts({ dir }).get('shop.order-placed')).toMatchObject({ partitions: 3, retentionMs: 172_800_000 })
    const production = loadContracts({ dir, environment: 'production' })
    expect(production.get('shop.order-placed')).toMatchObject({ partitions: 12, replication: 2, retentionMs: -1 })
    expect(production.get('laban.facts')).toMatchObject({ replication: 3, minInsyncReplicas: 2, partitions: 6 })
    expect(production.get('laban.facts').retentionMs).toBe(90 * 86_400_000)
    expect(() => loadContracts({ dir, environment: 'prodution' })).toThrow(/did you mean "production"/)
  })

  it('archives a topic where its row or the environment says so, for longer than the topic keeps it', () => {
    expect(withRow({})().get('shop.order-placed')).not.toHaveProperty('archiveMs')
    expect(withRow({ archive: '400d' })().get('shop.order-placed').archiveMs).toBe(400 * 86_400_000)
    expect(withRow({ archive: -1 })().get('shop.order-placed').archiveMs).toBe(-1)
    expect(withRow({ archive: '1d', cleanup: 'compact' })().get('shop.order-placed').archiveMs).toBe(86_400_000)
    expect(withRow({ archive: '7d' })).toThrow(/shop.order-placed: archive must be longer than retention/)
    expect(withRow({ archive: '7d', retention: -1 })).toThrow(/archive has nothing to keep/)
    const facts = { topics: { 'laban.facts': { archive: '400d' } } }
    expect(withRow({}, { environments: { live: facts } })).not.toThrow()
    expect(() => loadContracts({ dir, environment: 'live' })).toThrow(/laban.facts: archive is for events/)
    const live = { topics: { 'shop.order-placed': { archive: null } } }
    withRow({ archive: '400d' }, { environments: { live } })
    expect(loadContracts({ dir, environment: 'live' }).get('shop.order-placed')).not.toHaveProperty('archiveMs')
    expect(withRow({}, { defaults: { archive: '400d' } })).toThrow(/unknown key defaults.archive/)
  })

  it('reads released versions in order', () => {
    for (const version of [1, 2, 10])
      write(`history/shop.order-placed/v${version}.avsc`, { ...MONEY, doc: `v${version}` })
    expect(
      loadContracts({ dir })
        .history('shop.order-placed')
        .map(({ version }) => version),
    ).toEqual([1, 2, 10])
    expect(loadContracts({ dir }).history('shop.none')).toEqual([])
  })

  it('names the nearest topic when one is unknown', () => {
    expect(() => loadContracts({ dir }).get('shop.order-placd')).toThrow(/did you mean "shop\.order-placed"/)
    expect(loadContracts({ dir }).has('shop.order-placd')).toBe(false)
  })
})

describe('loadContracts names file and path of what is wrong', () => {
  it.each([
    [
      'an unknown key',
      { partitons: 3 },
      /unknown key topics\.shop\.order-placed\.partitons; did you mean "partitions"/,
    ],
    ['a wrong number', { partitions: 0 }, /topics\.shop\.order-placed\.partitions: /],
    ['a retention that is no duration', { retention: '7 days' }, /topics\.shop\.order-placed\.retention: expected/],
    [
      'a schema file that is not there',
      { schema: 'shop/order-place.avsc' },
      /avro\/shop\/order-place\.avsc does not exist.*did you mean/,
    ],
    ['more in-sync replicas than replicas', { minInsyncReplicas: 2 }, /minInsyncReplicas is larger than replication/],
    ['a key that is no field', { key: 'client' }, /key names "client"/],
    ['a key that is a record', { key: 'total' }, /key names "total"/],
    ['a rule that is not CEL', { rules: [{ name: 'r', expression: 'event.customer ==' }] }, /rules\.0\.expression: /],
    [
      'a rule on an unknown field',
      { rules: [{ name: 'r', expression: 'event.custmer != ""' }] },
      /did you mean "customer"/,
    ],
    [
      'a rule key that is unknown',
      { rules: [{ name: 'r', expresion: 'true' }] },
      /rules\.0\.expresion; did you mean "expression"|expression/,
    ],
  ])('%s', (_what, row, message) => {
    const load = withRow(row)
    expect(load).toThrow(
      expect.objectContaining({ code: 'LABAN_CONTRACT_INVALID', message: expect.stringMatching(message) as string }),
    )
    expect(load).toThrow(join(dir, 'topics.json'))
  })

  it.each([
    ['a broken file', '{ "type": "record", ', /JSON/],
    [
      'a type that is defined nowhere',
      { ...ORDER, fields: [{ name: 'a', type: 'Cash' }] },
      /a: type shop\.Cash is defined nowhere/,
    ],
    ['a record without namespace', { ...MONEY, namespace: undefined }, /needs a namespace/],
    ['a default that does not fit', { ...ORDER, fields: [{ name: 'a', type: 'int', default: 'x' }] }, /default/],
    [
      'a union JavaScript cannot tell apart',
      { ...ORDER, fields: [{ name: 'a', type: ['int', 'long'] }] },
      /ambiguous|union/,
    ],
    [
      'a field named like a part of every object',
      { ...ORDER, fields: [{ name: 'constructor', type: 'int' }] },
      /constructor/,
    ],
    ['a value that is no record', '"string"', /must be a record/],
  ])('%s', (_what, schema, message) => {
    write('avro/shop/order-placed.avsc', schema)
    expect(() => loadContracts({ dir })).toThrow(message)
    expect(() => loadContracts({ dir })).toThrow(join(dir, 'avro', 'shop', 'order-placed.avsc'))
  })

  it('one type in two files', () => {
    cpSync(join(dir, 'avro/shop/money.avsc'), join(dir, 'avro/shop/other.avsc'))
    expect(() => loadContracts({ dir })).toThrow(/shop\.Money is also defined in/)
  })

  it('an override for a topic that has no row', () => {
    const environments = { staging: { topics: { 'shop.order-plced': { partitions: 1 } } } }
    expect(withRow({}, { environments })).toThrow(/environments\.staging\.topics names shop\.order-plced.*did you mean/)
  })

  it('a folder without a topic table', () => {
    rmSync(join(dir, 'topics.json'))
    expect(() => loadContracts({ dir })).toThrow(/topics\.json.*ENOENT/)
  })
})

describe('createContractSet', () => {
  it('makes contracts from code with the same checks', () => {
    const contracts = createContractSet({ 'shop.paid': { schema: MONEY, retentionMs: -1, partitions: 2 } })
    expect(contracts.get('shop.paid')).toMatchObject({ retentionMs: -1, partitions: 2 })
    expect(contracts.has('laban.facts')).toBe(true)
    expect(() => createContractSet({ Paid: { schema: MONEY } })).toThrow(/kebab case/)
  })
})
