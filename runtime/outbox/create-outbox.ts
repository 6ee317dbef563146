/** `createOutbox`: laban beside the database of an agent or a program, so that both say the same after any crash. */
import { firstEventId } from '../../contracts/ids.ts'
import type { HandlerContext } from '../context.ts'
import type { EventOf, Topic } from '../events.ts'
import { systemClock, type Clock } from '../ports/clock.ts'
import { silentLogger, type Logger } from '../ports/logger.ts'
import { inTransaction, translated } from './in-transaction.ts'
import { startRelay, type Relay, type RelayPublisher } from './relay.ts'
import { createTables, tablesIn, type SqlClient, type SqlPool } from './sql.ts'
import { textOf } from './transaction-context.ts'
import { transactional, type TransactionalHandler } from './transactional.ts'

/** All but the pool has a default. */
export interface OutboxOptions<C extends SqlClient> {
  /** Connections to PostgreSQL 12 or later; a `Pool` of `pg` fits. The caller closes it. */
  readonly pool: SqlPool<C>
  /** Schema of the two tables. @default 'laban' */
  readonly schema?: string
  /** A transaction waits for locks of another at most so long, then fails and is tried again. @default 30000 */
  readonly lockTimeoutMs?: number
}

/** Identity and key of an event that a program publishes in its transaction. */
export interface OutboxEventOptions {
  /** The same id again is the same event. A UUID is taken as it is; any other text is hashed with the topic. @default random */
  readonly id?: string
  /** Record key. @default the contract's key field, else the event id */
  readonly key?: string
}

/** How a relay works. */
export interface RelaySettings {
  /** Where events go: a publisher of `createPublisher`. The caller closes it after the relay. */
  readonly publisher: RelayPublisher
  /** Time between two looks at an empty outbox. @default 200 */
  readonly pollMs?: number
  /** Events of one look. @default 500 */
  readonly batchSize?: number
  /** How long sent events stay in the table. @default 86400000 (24 h) */
  readonly keepSentMs?: number
  /** @default says nothing */
  readonly log?: Logger
  /** @default the machine's own */
  readonly clock?: Clock
}

/** See {@link createOutbox}. */
export interface Outbox<C extends SqlClient> {
  /** Creates the schema and its tables where they are missing. Harmless to repeat, also from several processes at once. */
  migrate(): Promise<void>
  /**
   * Makes the `handle` of an agent from one that works in a transaction: what it does by `db` and what it publishes happen once, both or
   * neither. A run after the commit publishes what the first one published. @throws LABAN_OUTBOX_MISSING, LABAN_OUTBOX_VALUE
   */
  handler<E, P extends Topic>(
    handle: TransactionalHandler<E, P, C>,
  ): (event: E, context: HandlerContext<P>) => Promise<void>
  /**
   * Publishes an event in the caller's own transaction, to begin a flow; a relay puts it on the log after the commit. Gives its id. Its
   * contract is checked by the relay. @throws LABAN_OUTBOX_VALUE, LABAN_OUTBOX_MISSING
   */
  publish<T extends Topic>(db: SqlClient, topic: T, value: EventOf<T>, options?: OutboxEventOptions): Promise<string>
  /** Starts a relay in this process. Any number may run: one works, in the order of the events; the others take over from it. */
  relay(settings: RelaySettings): Relay
  /**
   * Forgets handlings older than that, and tells how many. Keep them longer than the topics that the agents read keep their
   * records: a record that is read again after its row was forgotten is handled again.
   */
  prune(olderThanMs: number): Promise<number>
}

/**
 * An outbox in PostgreSQL.
 * @example
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
 * const outbox = createOutbox({ pool })
 * await outbox.migrate()
 * export default defineAgent({
 *   name: 'shop.booking', version: '1.0.0', consumes: 'shop.order-placed', produces: ['shop.order-booked'],
 *   handle: outbox.handler(async (order, { db, publish }) => {
 *     await db.query('INSERT INTO bookings (order_id) VALUES ($1)', [order.orderId])
 *     publish('shop.order-booked', { orderId: order.orderId })
 *   }),
 * })
 */
export function createOutbox<C extends SqlClient>(options: OutboxOptions<C>): Outbox<C> {
  const { pool, schema = 'laban', lockTimeoutMs = 30_000 } = options
  const tables = tablesIn(schema)
  return {
    migrate: () =>
      inTransaction(pool, lockTimeoutMs, async (db) => {
        // Two that create the same at once would fail, in spite of IF NOT EXISTS.
        await db.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`migrate ${tables.schema}`])
        for (const statement of createTables(tables)) await db.query(statement)
      }),
    handler: (handle) => transactional({ pool, tables, lockTimeoutMs }, handle),
    publish: async (db, topic, value, { id, key } = {}) => {
      const eventId = firstEventId(topic, id)
      const insert = `INSERT INTO ${tables.outbox} (event_id, topic, key, value) VALUES ($1, $2, $3, $4)
        ON CONFLICT (event_id) DO NOTHING`
      const values = [eventId, topic, key ?? null, textOf('the program', topic, value)]
      await db.query(insert, values).catch((error: unknown) => {
        throw translated(error)
      })
      return eventId
    },
    relay: ({ publisher, log = silentLogger, clock = systemClock, ...settings }) => {
      const { pollMs = 200, batchSize = 500, keepSentMs = 86_400_000 } = settings
      return startRelay({ pool, tables, publisher, pollMs, batchSize, keepSentMs, clock, log })
    },
    prune: (olderThanMs) =>
      inTransaction(pool, lockTimeoutMs, async (db) => {
        const old = `DELETE FROM ${tables.handled} WHERE handled_at < now() - $1::bigint * interval '1 millisecond'`
        return (await db.query(old, [olderThanMs])).rowCount ?? 0
      }),
  }
}
