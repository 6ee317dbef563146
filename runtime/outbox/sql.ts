/** What the outbox asks of PostgreSQL: its two tables, and a client by whom to reach them. Clients and pools of `pg` fit as they are. */

/** One row of an answer, by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>

/** A connection in which one transaction runs at a time. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: SqlRow[]; readonly rowCount: number | null }>
}

/** Gives connections. `release` with an error throws the connection away. */
export interface SqlPool<C extends SqlClient = SqlClient> {
  connect(): Promise<C & { release(error?: Error | boolean): void }>
}

/** Quoted names of the tables in one schema. */
export interface Tables {
  readonly schema: string
  readonly handled: string
  readonly outbox: string
}

/** Tables of the outbox in the schema of this name. */
export function tablesIn(schema: string): Tables {
  const quoted = `"${schema.replaceAll('"', '""')}"`
  return { schema: quoted, handled: `${quoted}.handled`, outbox: `${quoted}.outbox` }
}

/**
 * Creates what is missing, one statement after another; harmless when it is there. `handled`: a row per agent and event whose
 * transaction was committed, with what it published. `outbox`: a row per event that a program published in its transaction.
 */
export function createTables({ schema, handled, outbox }: Tables): readonly string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${schema}`,
    `CREATE TABLE IF NOT EXISTS ${handled} (
      agent text NOT NULL,
      event_id uuid NOT NULL,
      outputs json,
      handled_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (agent, event_id)
    )`,
    `CREATE INDEX IF NOT EXISTS handled_at ON ${handled} (handled_at)`,
    `CREATE TABLE IF NOT EXISTS ${outbox} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      event_id uuid NOT NULL UNIQUE,
      topic text NOT NULL,
      key text,
      value json NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      sent_at timestamptz,
      problem text
    )`,
    `CREATE INDEX IF NOT EXISTS outbox_unsent ON ${outbox} (id) WHERE sent_at IS NULL AND problem IS NULL`,
    `CREATE INDEX IF NOT EXISTS outbox_sent_at ON ${outbox} (sent_at)`,
  ]
}
