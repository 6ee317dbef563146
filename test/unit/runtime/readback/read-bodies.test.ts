/** Bodies read where facts point: decoded, masked, expired, unreadable; one that is wrong keeps no other from being read. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createContractSet } from '../../../../contracts/contract-set.ts'
import { createCodec } from '../../../../contracts/create-codec.ts'
import { createFolderRegistry } from '../../../../contracts/registry-folder.ts'
import { resolveSchemaIds } from '../../../../contracts/schema-ids.ts'
import { createMemoryBroker, type MemoryBroker } from '../../../../runtime/adapters/memory/broker.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'
import type { LogSource } from '../../../../runtime/readback/platform-records.ts'
import { readBodies } from '../../../../runtime/readback/read-bodies.ts'

const contracts = createContractSet({
  'person.moved': {
    partitions: 1,
    schema: {
      type: 'record',
      name: 'Moved',
      namespace: 'test',
      fields: [
        { name: 'name', type: 'string', pii: true },
        { name: 'city', type: 'string' },
      ],
    },
  },
})

const at = (offset: number) => ({ topic: 'person.moved', partition: 0, offset })
const ID = { read: 'a', empty: 'b', garbage: 'c', gone: 'd', nowhere: 'e' } as const

describe('readBodies', () => {
  let broker: MemoryBroker
  let source: LogSource

  beforeAll(async () => {
    broker = createMemoryBroker({ clock: systemClock })
    await broker.admin.createTopics([{ topic: 'person.moved', partitions: 1, replication: 1, config: {} }])
    const registry = createFolderRegistry(contracts)
    const schemaIds = await resolveSchemaIds(contracts, registry, ['person.moved'], { register: true, namespace: '' })
    const codec = createCodec({ contracts, registry, schemaIds })
    source = { broker, codec, contracts }
    const producer = await broker.producer()
    const record = (value: Buffer | null) => ({ topic: 'person.moved', key: 'k', value, headers: {} })
    await producer.send([
      record(codec.encode('person.moved', { name: 'Ada', city: 'London' })),
      record(null),
      record(Buffer.from('not Avro')),
    ])
  })

  it('decodes and masks, and unmasks only when told', async () => {
    const events = [{ id: ID.read, position: at(0) }]
    const masked = (await readBodies(source, events)).get(ID.read)
    expect(masked).toEqual({ state: 'read', value: { name: '*** string', city: 'London' }, masked: true, from: 'log' })
    const open = (await readBodies(source, events, { unmask: true })).get(ID.read)
    expect(open).toEqual({ state: 'read', value: { name: 'Ada', city: 'London' }, masked: false, from: 'log' })
  })

  it('says what is wrong with each body by itself', async () => {
    const bodies = await readBodies(source, [
      { id: ID.nowhere, position: null },
      { id: ID.gone, position: { topic: 'person.forgotten', partition: 0, offset: 3 } },
      { id: ID.garbage, position: at(2) },
      { id: ID.empty, position: at(1) },
      { id: ID.read, position: at(0) },
    ])
    expect(bodies.get(ID.nowhere)).toEqual({ state: 'nowhere' })
    expect(bodies.get(ID.gone)).toEqual({ state: 'expired', earliestOffset: 0 })
    expect(bodies.get(ID.garbage)).toMatchObject({ state: 'unreadable' })
    expect(bodies.get(ID.empty)).toEqual({ state: 'tombstone' })
    expect(bodies.get(ID.read)).toMatchObject({ state: 'read' })
  })

  it('says that a body has expired once its topic begins after it', async () => {
    broker.trim('person.moved', 0, 1)
    const bodies = await readBodies(source, [{ id: ID.read, position: at(0) }])
    expect(bodies.get(ID.read)).toEqual({ state: 'expired', earliestOffset: 1 })
  })
})
