/** A ledger on any broker and database, fed with copies of real flows; what it holds is compared with what the log says. */
import { createCodec } from '../../contracts/create-codec.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import { loadContracts } from '../../contracts/contract-set.ts'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import type { Fact } from '../../contracts/fact.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { Manifest } from '../../contracts/manifest.ts'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import type { Broker, OutgoingRecord } from '../../runtime/ports/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import type { SqlDatabase, SqlRow } from '../../runtime/ports/sql.ts'
import { logFlowSource, type FlowSource } from '../../runtime/readback/flow-source.ts'
import {
  Ledger,
  ledgerFlowSource,
  ledgerTables,
  type LedgerOptions,
  type LedgerTables,
} from '../../services/ledger/index.ts'
import { copyFlow, runCredit } from './credit-facts.ts'
import { waitFor } from './wait.ts'

/** See the file's head. */
export interface LedgerScene {
  readonly broker: Broker
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  readonly codec: EventCodec
  readonly manifests: readonly Manifest[]
  /** Reads the log alone. */
  readonly log: FlowSource
  /** Reads the ledger. */
  readonly ledger: FlowSource
  /** Facts of copied flows, a list per flow. */
  flows(count: number, seed: string): readonly (readonly Fact[])[]
  append(facts: readonly Fact[]): Promise<void>
  announce(manifests: readonly Manifest[]): Promise<void>
  /** Starts an instance; it is stopped with the scene. */
  start(options?: Partial<LedgerOptions>): Promise<Ledger>
  /** Stops all instances. */
  pause(): Promise<void>
  /** Waits until everything on the log is in the ledger and every line is up to date. */
  untilCaughtUp(): Promise<void>
  /** All that the ledger holds, in a form that does not depend on how it came about. */
  contents(): Promise<LedgerContents>
  close(): Promise<void>
}

/** Every row of every table; revisions, which count how often a line was written, are left out. */
export interface LedgerContents {
  readonly facts: readonly SqlRow[]
  readonly events: readonly SqlRow[]
  readonly flows: readonly SqlRow[]
}

/** Ledgers of one test file share the applications that were run. */
let credit: ReturnType<typeof runCredit> | undefined

/** The broker is connected here; `schemaName` must be unused. */
export async function ledgerScene(broker: Broker, database: SqlDatabase, schemaName: string): Promise<LedgerScene> {
  const run = await (credit ??= runCredit())
  const contracts = loadContracts({ dir: 'contracts' })
  const registry = createFolderRegistry(contracts)
  const topics = [FACTS_TOPIC, AGENTS_TOPIC]
  const schemaIds = await resolveSchemaIds(contracts, registry, topics, { register: true, namespace: '' })
  const codec = createCodec({ contracts, registry, schemaIds })
  await broker.connect()
  await broker.admin.createTopics(topics.map((topic) => plannedTopic(contracts.get(topic))))
  const producer = await broker.producer()
  const tables = ledgerTables(schemaName)
  const source = { broker, codec, contracts }
  const running = new Set<Ledger>()
  const send = async (records: readonly OutgoingRecord[]): Promise<void> => {
    for (let begin = 0; begin < records.length; begin += MAX_SENT)
      await producer.send(records.slice(begin, begin + MAX_SENT))
  }
  return {
    broker,
    database,
    tables,
    codec,
    manifests: run.manifests,
    log: logFlowSource(source),
    ledger: ledgerFlowSource({ database, tables, source }),
    flows: (count, seed) =>
      Array.from({ length: count }, (_, index) =>
        copyFlow(run.flows[index % run.flows.length] ?? [], `${seed} ${index}`, 0),
      ),
    append: (facts) =>
      send(
        facts.map((fact) => ({
          topic: FACTS_TOPIC,
          key: fact.flowId,
          value: codec.encode(FACTS_TOPIC, fact),
          headers: {},
        })),
      ),
    announce: (manifests) =>
      send(
        manifests.map((manifest) => ({
          topic: AGENTS_TOPIC,
          key: `${manifest.agent}|${manifest.instance}`,
          value: codec.encode(AGENTS_TOPIC, manifest),
          headers: {},
        })),
      ),
    async start(options = {}) {
      const ledger = new Ledger({
        ...{ broker, database, tables, codec, clock: systemClock, log: silentLogger, retentionMs: -1, quietMs: 20 },
        onFatal: (error) => {
          throw error
        },
        ...options,
      })
      running.add(ledger)
      await ledger.start()
      return ledger
    },
    async pause() {
      await Promise.all([...running].map((ledger) => ledger.stop()))
      running.clear()
    },
    untilCaughtUp: async () => {
      const ends = new Map((await broker.admin.offsets(FACTS_TOPIC)).map((at) => [at.partition, at.endOffset]))
      await waitFor(
        async () => {
          const rows = await database.query<{ partition: number; derived: number }>(
            `SELECT partition, derived_offset::float8 AS derived FROM ${tables.positions} WHERE topic = $1`,
            [FACTS_TOPIC],
          )
          const derived = new Map(rows.map((row) => [row.partition, row.derived]))
          return [...ends].every(([partition, end]) => end === 0 || (derived.get(partition) ?? 0) >= end)
        },
        { timeoutMs: 30_000, what: 'the ledger to catch up with the log' },
      )
    },
    contents: () => contentsOf(database, tables),
    async close() {
      await Promise.all([...running].map((ledger) => ledger.stop()))
      await producer.close()
      await broker.close()
      await database.close()
    },
  }
}

const MAX_SENT = 2_000

/** Every row of every table, sorted. */
export async function contentsOf(database: SqlDatabase, tables: LedgerTables): Promise<LedgerContents> {
  const [facts, events, flows] = await Promise.all([
    database.query(`SELECT partition, "offset"::float8 AS offset, flow_id, at::text AS at, md5(value) AS value
                    FROM ${tables.facts} ORDER BY partition, "offset"`),
    database.query(`SELECT event_id, flow_id, at::text AS at FROM ${tables.events} ORDER BY 1, 2, 3`),
    database.query(`SELECT flow_id, started_at::text, first_fact_at::text, last_fact_at::text, duration_ms, partition, facts, events,
                      handlings, subscriptions, complete, status, first_topic, keys, agents, error_codes, attention
                    FROM ${tables.flows} ORDER BY flow_id`),
  ])
  return { facts, events, flows }
}

/** The flow ids of copied flows. */
export function idsOf(flows: readonly (readonly Fact[])[]): readonly Uuid[] {
  return flows.flatMap(([first]) => (first === undefined ? [] : [first.flowId]))
}
