/** PostgreSQL through a pool of connections. A connection that was lost is replaced by the next statement; none is retried here. */
import pg from 'pg'
import type { Logger } from '../../ports/logger.ts'
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from '../../ports/sql.ts'
import { unusable } from './problems.ts'

/** How to reach it. */
export interface PostgresOptions {
  /** `postgres://user@host:port/database`. */
  readonly url: string
  /** Instead of one in the URL; asked for at every connection. */
  readonly password?: () => string
  /** Certificate authority to trust, and thereby TLS; asked for once. */
  readonly ca?: string
  /** @default 4 */
  readonly maxConnections?: number
  readonly logger: Logger
}

/** Longest wait for a connection, and for a free one of the pool. */
const CONNECT_TIMEOUT_MS = 5_000
/** A server that went away without a word must not hold a statement for ever. */
const STATEMENT_TIMEOUT_MS = 120_000

/** Makes the pool; nothing is connected before the first statement. */
export function createPostgresDatabase(options: PostgresOptions): SqlDatabase {
  return new PostgresDatabase(options)
}

class PostgresDatabase implements SqlDatabase {
  readonly description: string
  readonly #pool: pg.Pool
  readonly #where: string
  #closing: Promise<void> | undefined

  constructor({ url, password, ca, maxConnections = 4, logger }: PostgresOptions) {
    this.#where = printable(url)
    this.description = `PostgreSQL at ${this.#where}`
    this.#pool = new pg.Pool({
      connectionString: url,
      max: maxConnections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      application_name: 'laban.ledger',
      keepAlive: true,
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ssl: { ca } }),
    })
    // A connection may break between two statements of a transaction: the next one says so.
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
    // An idle connection that breaks is replaced when it is needed; without a listener it would end the process.
    this.#pool.on('error', (error) => logger.debug('a connection to the ledger was lost', { problem: error.message }))
  }

  async query<Row extends SqlRow>(text: string, values: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return await this.#guard(() => run<Row>(this.#pool, text, values))
  }

  async script(text: string): Promise<void> {
    await this.#guard(() => this.#pool.query(text))
  }

  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const client = await this.#guard(() => this.#pool.connect())
    let failure: Error | undefined
    try {
      await this.#guard(() => client.query('BEGIN'))
      const result = await work({
        query: (text, values = []) => this.#guard(() => run(client, text, values)),
        script: (text) => this.#guard(async () => void (await client.query(text))),
      })
      await this.#guard(() => client.query('COMMIT'))
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch((lost: Error) => (failure = lost))
      throw error
    } finally {
      client.release(failure)
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#pool.end())
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw unusable(this.#where, error)
    }
  }
}

async function run<Row extends SqlRow>(
  client: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly SqlValue[],
): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>(text, [...values])
  return rows
}

function printable(url: string): string {
  return url
    .replace(/^\w+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/\?.*$/, '')
}
