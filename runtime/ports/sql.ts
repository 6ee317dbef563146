/**
 * Port of the ledger's database: PostgreSQL 15 or later, or PGlite in this process. Both speak the same SQL, so the port has no
 * dialect; it has only what the two clients do differently.
 */

/** A parameter. A Buffer is sent in PostgreSQL's binary form of the parameter's type; everything else as text. */
export type SqlValue = string | number | boolean | null | Buffer

/** A row by column name. `bytea` comes as Buffer, `text[]` as array, `int4` and `float8` as number; ask for no other types. */
export type SqlRow = Readonly<Record<string, unknown>>

/** Where statements go: the database itself, or one transaction of it. */
export interface SqlSession {
  /** One statement. @throws LABAN_LEDGER_UNAVAILABLE (retry), LABAN_LEDGER_REFUSED (retry) */
  query<Row extends SqlRow = SqlRow>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>
  /** Several statements without parameters. @throws as `query` */
  script(text: string): Promise<void>
}

/** A connected database. */
export interface SqlDatabase extends SqlSession {
  /** For people, without password: `PostgreSQL at 127.0.0.1:5432/laban`. */
  readonly description: string
  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. When the connection is lost during the
   * commit the call rejects although the commit may have happened: what is written must be safe to write again.
   */
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /** Ends all connections; running statements may fail. Twice is harmless. */
  close(): Promise<void>
}
