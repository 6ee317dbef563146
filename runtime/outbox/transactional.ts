/**
 * A handler whose work, and whose published events, are one transaction. The transaction begins by inserting the pair of agent and
 * event, which is unique: whoever comes second, even after Redis has forgotten everything, finds what the first published and
 * publishes that again, under the same ids.
 */
import { decodeValue } from '../../contracts/value-format.ts'
import type { HandlerContext } from '../context.ts'
import type { EventOf, Topic } from '../events.ts'
import { inTransaction } from './in-transaction.ts'
import type { SqlClient, SqlPool, Tables } from './sql.ts'
import { KeepingContext, type KeptOutput, type TransactionContext } from './transaction-context.ts'

/** A handler that is given a connection. */
export type TransactionalHandler<E, P extends Topic, C extends SqlClient> = (
  event: E,
  context: TransactionContext<P, C>,
) => void | Promise<void>

export interface TransactionalOptions<C extends SqlClient> {
  readonly pool: SqlPool<C>
  readonly tables: Tables
  readonly lockTimeoutMs: number
}

/** The `handle` of an agent, made from one that works in a transaction. */
export function transactional<E, P extends Topic, C extends SqlClient>(
  { pool, tables, lockTimeoutMs }: TransactionalOptions<C>,
  handle: TransactionalHandler<E, P, C>,
): (event: E, context: HandlerContext<P>) => Promise<void> {
  return async (event, context) => {
    const { agent, eventId } = context
    const kept = await inTransaction(pool, lockTimeoutMs, async (db) => {
      // Waits for another transaction of the same pair, and sees it afterwards if it was committed.
      const { rowCount } = await db.query(
        `INSERT INTO ${tables.handled} (agent, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
        [agent, eventId],
      )
      if (rowCount === 0) return keptOutputs(db, tables, agent, eventId)
      const own = new KeepingContext(context, db)
      await handle(event, own)
      const update = `UPDATE ${tables.handled} SET outputs = $3 WHERE agent = $1 AND event_id = $2`
      await db.query(update, [agent, eventId, JSON.stringify(own.outputs)])
      return undefined
    })
    if (kept === undefined) return
    context.log.info('was committed before; what it published is published again', { events: kept.length })
    for (const { topic, value, options } of kept) context.publish(topic as P, decodeValue(value) as EventOf<P>, options)
  }
}

async function keptOutputs(
  db: SqlClient,
  { handled }: Tables,
  agent: string,
  eventId: string,
): Promise<readonly KeptOutput[]> {
  const select = `SELECT outputs::text AS outputs FROM ${handled} WHERE agent = $1 AND event_id = $2`
  const { rows } = await db.query(select, [agent, eventId])
  const text = rows[0]?.['outputs']
  return typeof text === 'string' ? (JSON.parse(text) as KeptOutput[]) : []
}
