/** What the archive promises, on any broker and database: what a topic has forgotten is read as it lay on the log. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventCodec } from '../../contracts/codec.ts'
import { createContractSet } from '../../contracts/contract-set.ts'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import { createCodec } from '../../contracts/create-codec.ts'
import { encodeEnvelope } from '../../contracts/envelope.ts'
import { deriveId } from '../../contracts/ids.ts'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import type { Appended, Broker, BrokerProducer, OutgoingHeaders } from '../../runtime/ports/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../runtime/ports/sql.ts'
import type { LogSource } from '../../runtime/readback/platform-records.ts'
import { readBodies } from '../../runtime/readback/read-bodies.ts'
import { readEvent } from '../../runtime/readback/read-event.ts'
import { ArchiveRows } from '../../services/ledger/archive-rows.ts'
import { DAY_MS } from '../../services/ledger/days.ts'
import {
  archivedOf,
  archivedTopics,
  dropTables,
  emptyTables,
  eraseArchived,
  Ledger,
  ledgerFlowSource,
  ledgerStatus,
  ledgerTables,
} from '../../services/ledger/index.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'

/** Servers of one suite. */
export interface ArchiveUnderTest {
  readonly broker: Broker
  readonly database: SqlDatabase
  /** Lets the topic forget all records below an offset. */
  forget(topic: string, partition: number, offset: number): Promise<void>
}

const KEPT = 'person.moved'
const BRIEF = 'person.called'
const FORGOTTEN = 'person.left'
const schema = {
  type: 'record',
  name: 'Moved',
  namespace: 'test',
  fields: [
    { name: 'name', type: 'string', pii: true },
    { name: 'city', type: 'string' },
  ],
}
const contracts = createContractSet({
  [KEPT]: { partitions: 2, schema, archive: -1 },
  [BRIEF]: { partitions: 2, schema, retentionMs: DAY_MS, archive: 3 * DAY_MS },
  [FORGOTTEN]: { partitions: 2, schema },
})
const ADA = { name: 'Ada', city: 'London' }

/** Runs the suite. */
export function describeArchive(name: string, open: () => Promise<ArchiveUnderTest>): void {
  describe(`the archive on ${name}`, () => {
    const tables = ledgerTables(uniqueName('archive').replace('-', '_'))
    const running: Ledger[] = []
    let under: ArchiveUnderTest
    let codec: EventCodec
    let producer: BrokerProducer
    /** Reads the log and the archive. */
    let source: LogSource

    const start = async (): Promise<void> => {
      const { broker, database } = under
      const ledger = new Ledger({
        ...{ broker, database, tables, codec, clock: systemClock, log: silentLogger, retentionMs: -1 },
        archive: archivedTopics({ contracts }),
        onFatal: (error) => {
          throw error
        },
      })
      running.push(ledger)
      await ledger.start()
    }

    const send = async (topic: string, value: Buffer | null, headers: OutgoingHeaders = {}): Promise<Appended> => {
      const [place] = await producer.send([{ topic, key: 'k', value, headers }])
      if (place === undefined) throw new Error('not appended')
      return place
    }

    const untilArchived = () =>
      waitFor(
        async () => {
          const { archive } = await ledgerStatus({ ...under, tables, clock: systemClock })
          return archive.length > 0 && archive.every(({ lagRecords }) => lagRecords === 0)
        },
        { timeoutMs: 30_000, what: 'everything to be archived' },
      )

    const bodyAt = async (position: Appended, unmask = false) =>
      (await readBodies(source, [{ id: 'it', position }], { unmask })).get('it')

    beforeAll(async () => {
      under = await open()
      const { broker, database } = under
      const topics = [FACTS_TOPIC, AGENTS_TOPIC, KEPT, BRIEF, FORGOTTEN]
      const registry = createFolderRegistry(contracts)
      const schemaIds = await resolveSchemaIds(contracts, registry, topics, { register: true, namespace: '' })
      codec = createCodec({ contracts, registry, schemaIds })
      await broker.connect()
      await broker.admin.createTopics(topics.map((topic) => plannedTopic(contracts.get(topic))))
      producer = await broker.producer()
      const log = { broker, codec, contracts }
      const { archive } = ledgerFlowSource({ database, tables, source: log })
      source = archive === undefined ? log : { ...log, archive }
      await start()
    }, 60_000)

    afterAll(async () => {
      await Promise.all(running.map((ledger) => ledger.stop()))
      await producer.close()
      await dropTables(under.database, tables)
      await under.broker.close()
      await under.database.close()
    }, 60_000)

    it('gives a record that its topic has forgotten as it lay on the log, personal fields masked', async () => {
      const id = deriveId('a person moves')
      const envelope = { id, type: KEPT, source: 'test', flowId: id, causes: [], hop: 0, time: '2026-01-01T00:00:00Z' }
      const headers = { ...encodeEnvelope(envelope), note: ['one', 'two'] }
      const place = await send(KEPT, codec.encode(KEPT, ADA), headers)
      const before = await readEvent(source, place)
      expect(before.from).toBe('log')
      await untilArchived()
      await under.forget(KEPT, place.partition, place.offset + 1)

      expect(await readEvent(source, place)).toEqual({ ...before, from: 'archive' })
      expect(await bodyAt(place)).toEqual({
        ...{ state: 'read', value: { name: '*** string', city: 'London' }, masked: true, from: 'archive' },
      })
      expect(await bodyAt(place, true)).toMatchObject({ value: ADA, masked: false })
    })

    it('says of a topic that is not archived that its body has expired', async () => {
      const place = await send(FORGOTTEN, codec.encode(FORGOTTEN, ADA))
      await untilArchived()
      await under.forget(FORGOTTEN, place.partition, place.offset + 1)
      expect(await bodyAt(place)).toEqual({ state: 'expired', earliestOffset: place.offset + 1 })
      await expect(readEvent(source, place)).rejects.toMatchObject({ code: 'LABAN_RECORD_GONE' })
    })

    it('keeps what has no value, what is no event of ours and what cannot be read', async () => {
      const tombstone = await send(KEPT, null)
      const foreign = await send(KEPT, codec.encode(KEPT, ADA))
      const garbage = await send(KEPT, Buffer.from('not Avro'))
      const before = await readEvent(source, foreign)
      await untilArchived()
      await under.forget(KEPT, garbage.partition, garbage.offset + 1)
      expect(await bodyAt(tombstone)).toEqual({ state: 'tombstone' })
      expect(await bodyAt(garbage)).toMatchObject({ state: 'unreadable' })
      expect(await readEvent(source, foreign)).toEqual({ ...before, from: 'archive' })
    })

    it('stays as it is when the ledger is rebuilt, and doubles nothing', async () => {
      const first = await send(BRIEF, codec.encode(BRIEF, ADA))
      await untilArchived()
      await under.forget(BRIEF, first.partition, first.offset + 1)
      const before = await contents()
      await emptyTables(under.database, tables)
      await start()
      const second = await send(BRIEF, codec.encode(BRIEF, { ...ADA, city: 'Paris' }))
      await untilArchived()
      expect(await bodyAt(first)).toMatchObject({ state: 'read', from: 'archive' })
      const after = await contents()
      expect(after).toHaveLength(before.length + 1)
      expect(new Set(after).size).toBe(after.length)
      expect(await bodyAt(second)).toMatchObject({ state: 'read', from: 'log' })
    })

    it('is erased by event or flow, for good', async () => {
      const { database } = under
      const id = deriveId('to be erased')
      const envelope = { id, type: KEPT, source: 'test', flowId: id, causes: [], hop: 0 }
      const place = await send(KEPT, codec.encode(KEPT, ADA), encodeEnvelope(envelope))
      await untilArchived()
      await under.forget(KEPT, place.partition, place.offset + 1)
      expect(await archivedOf(database, tables, id)).toEqual(new Map([[KEPT, 1]]))
      expect(await eraseArchived(database, tables, id)).toBe(1)
      expect(await archivedOf(database, tables, id)).toEqual(new Map())
      expect(await bodyAt(place)).toMatchObject({ state: 'expired' })
    })

    it('forgets each topic in its own time', async () => {
      const { database } = under
      const rows = new ArchiveRows(database, tables)
      const of = async (topic: string) => (await contents()).filter((row) => row.startsWith(topic)).length
      const [kept, brief] = [await of(KEPT), await of(BRIEF)]
      expect(Math.min(kept, brief)).toBeGreaterThan(0)
      await rows.forget(Date.now() + 2 * DAY_MS)
      expect([await of(KEPT), await of(BRIEF)]).toEqual([kept, brief])
      await rows.forget(Date.now() + 5 * DAY_MS)
      expect([await of(KEPT), await of(BRIEF)]).toEqual([kept, 0])
      await rows.register([{ topic: KEPT, keepMs: 10 * DAY_MS }])
      await rows.forget(Date.now() + 12 * DAY_MS)
      expect(await contents()).toEqual([])
    })

    async function contents(): Promise<readonly string[]> {
      const rows = await under.database.query<{ place: string }>(
        `SELECT topic || '/' || partition || '@' || "offset" AS place FROM ${tables.bodies} ORDER BY 1`,
      )
      return rows.map(({ place }) => place)
    }
  })
}
