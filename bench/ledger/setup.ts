/** A namespace and a schema of its own on the real stack, and questions about how far the ledger in it is. */
import { Kafka, logLevel } from 'kafkajs'
import { createCodec } from '../../contracts/create-codec.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import { loadContracts } from '../../contracts/contract-set.ts'
import { createConfluentRegistry } from '../../contracts/registry-confluent.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import { createKafkaBroker } from '../../runtime/adapters/kafka/broker.ts'
import { createPostgresDatabase } from '../../runtime/adapters/postgres/database.ts'
import type { Broker } from '../../runtime/ports/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../runtime/ports/sql.ts'
import type { LogSource } from '../../runtime/readback/platform-records.ts'
import { dropTables, ledgerTables, migrate, type LedgerTables } from '../../services/ledger/index.ts'
import { stackAddress } from '../../test/harness/real-stack.ts'
import { cpuMsOf } from './cpu-time.ts'

/** See the file's head. */
export interface LedgerBench {
  readonly namespace: string
  readonly schema: string
  readonly env: Readonly<Record<string, string>>
  readonly broker: Broker
  readonly codec: EventCodec
  readonly source: LogSource
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  /** The process that is ended with the bench. */
  running: { stop(): Promise<void> } | undefined
  /** Facts stored, and facts that every line accounts for. */
  progress(): Promise<{ readonly stored: number; readonly derived: number }>
  logEnd(topic: string): Promise<number>
  sizes(): Promise<readonly { readonly name: string; readonly bytes: number }[]>
  count(): Promise<{ readonly facts: number; readonly flows: number }>
  /** CPU that the ledger's connections have used in PostgreSQL so far. */
  backendCpuMs(): Promise<number>
  close(keep: boolean): Promise<void>
}

/** Makes topics, schemas and tables. */
export async function openBench(): Promise<LedgerBench> {
  const namespace = `bench${process.pid}ledger`
  const schema = namespace
  const brokers = await stackAddress('brokers')
  const registryUrl = await stackAddress('registryUrl')
  const url = await stackAddress('postgresUrl')
  const contracts = loadContracts({ dir: 'contracts' })
  const registry = createConfluentRegistry({ url: registryUrl })
  const topics = [FACTS_TOPIC, AGENTS_TOPIC]
  const schemaIds = await resolveSchemaIds(contracts, registry, topics, { register: true, namespace })
  const codec = createCodec({ contracts, registry, schemaIds })
  const broker = createKafkaBroker({ brokers, clientId: 'bench', namespace, clock: systemClock, logger: silentLogger })
  await broker.connect()
  await broker.admin.createTopics(topics.map((topic) => plannedTopic(contracts.get(topic))))
  const database = createPostgresDatabase({ url, logger: silentLogger })
  const tables = ledgerTables(schema)
  await migrate(database, tables)
  const bench: LedgerBench = {
    namespace,
    schema,
    env: {
      LABAN_NAMESPACE: namespace,
      LABAN_BROKERS: brokers.join(','),
      LABAN_REGISTRY_URL: registryUrl,
      LABAN_LEDGER_URL: url,
      LABAN_LEDGER_SCHEMA: schema,
      LABAN_LOG_LEVEL: 'warn',
    },
    broker,
    codec,
    source: { broker, codec, contracts },
    database,
    tables,
    running: undefined,
    async progress() {
      const [row] = await database.query<{ stored: number; derived: number }>(
        `SELECT coalesce(sum(next_offset), 0)::float8 AS stored, coalesce(sum(derived_offset), 0)::float8 AS derived
         FROM ${tables.positions} WHERE topic = $1`,
        [FACTS_TOPIC],
      )
      return row ?? { stored: 0, derived: 0 }
    },
    logEnd: async (topic) => (await broker.admin.offsets(topic)).reduce((sum, { endOffset }) => sum + endOffset, 0),
    sizes: () =>
      database.query<{ name: string; bytes: number }>(
        `SELECT regexp_replace(c.relname, '_?\\d{5}', '') || CASE c.relkind WHEN 'i' THEN ' (index)' ELSE '' END AS name,
                sum(pg_relation_size(c.oid))::float8 AS bytes
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'i') GROUP BY 1 HAVING sum(pg_relation_size(c.oid)) > 100000 ORDER BY 2 DESC`,
        [schema],
      ),
    async count() {
      const [row] = await database.query<{ facts: number; flows: number }>(
        `SELECT (SELECT count(*) FROM ${tables.facts})::float8 AS facts, (SELECT count(*) FROM ${tables.flows})::float8 AS flows`,
      )
      return row ?? { facts: 0, flows: 0 }
    },
    async backendCpuMs() {
      const rows = await database.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name = 'laban.ledger' AND pid <> pg_backend_pid()`,
      )
      return rows.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0)
    },
    async close(keep) {
      await bench.running?.stop()
      if (!keep) await dropTables(database, tables)
      await database.close()
      await broker.close()
      await deleteTopics(brokers, namespace)
    },
  }
  return bench
}

/** The broker port deletes nothing, so Kafka's own client does. */
async function deleteTopics(brokers: readonly string[], namespace: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], clientId: 'bench', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const own = (await admin.listTopics()).filter((topic) => topic.startsWith(`${namespace}.`))
  if (own.length > 0) await admin.deleteTopics({ topics: own })
  await admin.disconnect()
}
