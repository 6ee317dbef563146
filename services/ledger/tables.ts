/**
 * The tables of the ledger and how they came about: numbered steps that are only ever added. Instances that start at once wait for
 * each other, so each step is done once.
 */
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/index.ts'
import { LabanError, type SqlDatabase, type SqlSession } from '../../runtime/internal.ts'
import { texts } from './pg-arrays.ts'

/** Quoted names of the tables in one schema. */
export interface LedgerTables {
  /** Unquoted name of the schema. */
  readonly schemaName: string
  readonly schema: string
  /** How far the log was read, per partition. */
  readonly positions: string
  /** Facts as they stand on the log; partitioned by day. */
  readonly facts: string
  /** Event id to flow id; partitioned by day. */
  readonly events: string
  /** One derived line per flow. */
  readonly flows: string
  readonly manifests: string
  /** Records of archived topics as they lay on the log; partitioned by day. */
  readonly bodies: string
  /** How long each archived topic's records are kept. */
  readonly archives: string
  readonly migrations: string
}

/** Tables in the schema of this name. */
export function ledgerTables(schemaName: string): LedgerTables {
  const schema = `"${schemaName.replaceAll('"', '""')}"`
  const table = (name: string): string => `${schema}.${name}`
  return {
    schemaName,
    schema,
    positions: table('positions'),
    facts: table('facts'),
    events: table('events'),
    flows: table('flows'),
    manifests: table('manifests'),
    bodies: table('bodies'),
    archives: table('archives'),
    migrations: table('migrations'),
  }
}

/** Schema of a namespace's ledger where none is configured. */
export function defaultSchema(namespace: string): string {
  return namespace === '' ? 'laban' : `laban_${namespace.replaceAll(/[.-]/g, '_')}`
}

/**
 * Every step in order. Of facts there is one index that every row pays for, by flow; the other two are block ranges, a few bytes per
 * hundred rows: offsets grow with the file, and event ids are found by Bloom filters of ranges.
 */
const STEPS: readonly ((tables: LedgerTables) => string)[] = [
  ({ positions, facts, events, flows, manifests }) => `
    CREATE TABLE ${positions} (
      topic text NOT NULL,
      partition int NOT NULL,
      next_offset bigint NOT NULL,
      derived_offset bigint NOT NULL,
      moved_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (topic, partition)
    );
    CREATE TABLE ${facts} (
      at timestamptz NOT NULL,
      "offset" bigint NOT NULL,
      flow_id uuid NOT NULL,
      partition int NOT NULL,
      value bytea NOT NULL
    ) PARTITION BY RANGE (at);
    CREATE INDEX facts_flow ON ${facts} (flow_id);
    CREATE INDEX facts_offset ON ${facts} USING brin ("offset") WITH (pages_per_range = 32, autosummarize = on);
    CREATE TABLE ${events} (
      at timestamptz NOT NULL,
      event_id uuid NOT NULL,
      flow_id uuid NOT NULL
    ) PARTITION BY RANGE (at);
    CREATE INDEX events_id ON ${events} USING brin (event_id uuid_bloom_ops) WITH (pages_per_range = 32, autosummarize = on);
    CREATE TABLE ${flows} (
      flow_id uuid PRIMARY KEY,
      started_at timestamptz,
      first_fact_at timestamptz NOT NULL,
      last_fact_at timestamptz NOT NULL,
      duration_ms float8,
      partition int NOT NULL,
      facts int NOT NULL,
      events int NOT NULL,
      handlings int NOT NULL,
      subscriptions int NOT NULL,
      revision int NOT NULL,
      complete bool NOT NULL,
      status text NOT NULL,
      first_topic text NOT NULL,
      keys text[] NOT NULL,
      agents text[] NOT NULL,
      error_codes text[] NOT NULL,
      attention text[] NOT NULL
    ) WITH (fillfactor = 85);
    CREATE INDEX flows_newest ON ${flows} (started_at DESC NULLS LAST, flow_id);
    CREATE INDEX flows_open ON ${flows} (partition, status, started_at DESC NULLS LAST) WHERE NOT complete;
    CREATE INDEX flows_keys ON ${flows} USING gin (keys) WHERE keys <> '{}';
    CREATE INDEX flows_errors ON ${flows} USING gin (error_codes) WHERE error_codes <> '{}';
    CREATE TABLE ${manifests} (
      key text PRIMARY KEY,
      partition int NOT NULL,
      "offset" bigint NOT NULL,
      value bytea
    );`,
  ({ flows }) => `
    CREATE INDEX flows_failed ON ${flows} (started_at) WHERE complete AND status = 'failed' AND attention <> '{}';`,
  // Erasing what somebody said is rare and may take its time, so ids of events and flows have no index here.
  ({ bodies, archives }) => `
    CREATE TABLE ${archives} (topic text PRIMARY KEY, keep_ms float8 NOT NULL);
    CREATE TABLE ${bodies} (
      at timestamptz NOT NULL,
      "offset" bigint NOT NULL,
      event_id uuid NOT NULL,
      flow_id uuid NOT NULL,
      partition int NOT NULL,
      topic text NOT NULL,
      key bytea,
      headers bytea NOT NULL,
      value bytea
    ) PARTITION BY RANGE (at);
    CREATE INDEX bodies_place ON ${bodies} ("offset", partition, topic);`,
]

/** Makes the tables, or brings them up to date. @throws LABAN_LEDGER_NEWER, LABAN_LEDGER_UNAVAILABLE, LABAN_LEDGER_REFUSED */
export async function migrate(database: SqlDatabase, tables: LedgerTables): Promise<void> {
  const { schema, schemaName, migrations } = tables
  await database.transaction(async (session) => {
    await session.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`laban.ledger ${schemaName}`])
    await session.script(`CREATE SCHEMA IF NOT EXISTS ${schema};
      CREATE TABLE IF NOT EXISTS ${migrations} (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`)
    const found = await versionIn(session, tables)
    if (found > STEPS.length) {
      throw new LabanError('LABAN_LEDGER_NEWER', { url: database.description, found, known: STEPS.length })
    }
    for (const [index, step] of STEPS.entries()) {
      if (index < found) continue
      await session.script(step(tables))
      await session.query(`INSERT INTO ${migrations} (version) VALUES ($1)`, [index + 1])
    }
  })
}

/** Whether the tables are there and as this laban knows them. */
export async function isMigrated(database: SqlDatabase, tables: LedgerTables): Promise<boolean> {
  const [row] = await database.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    tables.migrations,
  ])
  return row?.found === true && (await versionIn(database, tables)) === STEPS.length
}

/**
 * Empties all that is read again from the log, in one step; the archive stays, because topics may have forgotten what it holds. Running
 * instances notice that their positions are gone and read the log again from its beginning.
 */
export async function emptyTables(database: SqlDatabase, tables: LedgerTables): Promise<void> {
  const { positions, facts, events, flows, manifests } = tables
  await database.transaction(async (session) => {
    // Those who write lines or manifests lock positions after them, those who write facts before: nobody waits in a circle.
    await session.script(`LOCK TABLE ${flows}, ${manifests}, ${positions} IN ACCESS EXCLUSIVE MODE`)
    await session.query(`DELETE FROM ${positions} WHERE topic = ANY($1::text[])`, [texts([FACTS_TOPIC, AGENTS_TOPIC])])
    await session.script(`TRUNCATE ${[facts, events, flows, manifests].join()}`)
  })
}

/** Removes everything, the schema included. */
export async function dropTables(database: SqlDatabase, { schema }: LedgerTables): Promise<void> {
  await database.script(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
}

async function versionIn(session: Pick<SqlSession, 'query'>, { migrations }: LedgerTables): Promise<number> {
  const [row] = await session.query<{ version: number | null }>(`SELECT max(version) AS version FROM ${migrations}`)
  return row?.version ?? 0
}
