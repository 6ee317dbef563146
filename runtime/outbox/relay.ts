/**
 * Puts on the log what programs have published in their transactions. It takes the rows that are not marked as sent, publishes them and
 * marks them. It never remembers how far it has come: a transaction that began earlier may be committed later, and its rows would
 * be passed over. A row that is published twice, because its mark was lost, is one event: it has one id.
 */
import { describeUnknown, isLabanError, type ErrorCode } from '../../contracts/errors.ts'
import { decodeValue } from '../../contracts/value-format.ts'
import { delay, type Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { translated } from './in-transaction.ts'
import type { SqlClient, SqlPool, SqlRow, Tables } from './sql.ts'

/** An event to publish; `Publisher.publishAll` takes it. */
export interface RelayedEvent {
  readonly eventId: string
  readonly topic: string
  readonly value: unknown
  readonly key?: string
}

/** Who publishes; a `Publisher` fits. */
export interface RelayPublisher {
  publishAll(events: readonly RelayedEvent[]): Promise<unknown>
}

/** A relay that runs. */
export interface Relay {
  /** Ends after the batch under way. */
  stop(): Promise<void>
}

export interface RelayOptions {
  readonly pool: SqlPool
  readonly tables: Tables
  readonly publisher: RelayPublisher
  readonly pollMs: number
  readonly batchSize: number
  readonly keepSentMs: number
  readonly clock: Clock
  readonly log: Logger
}

const AFTER_ERROR_MS = 1_000
const PRUNE_EVERY_MS = 60_000

/** Starts a relay. Of several on one schema one works; another takes over when its connection ends, so that events keep their order. */
export function startRelay(options: RelayOptions): Relay {
  const stopping = new AbortController()
  const running = run(options, stopping.signal)
  return {
    stop: () => {
      stopping.abort()
      return running
    },
  }
}

async function run(options: RelayOptions, signal: AbortSignal): Promise<void> {
  const { pool, clock, log, pollMs } = options
  while (!signal.aborted) {
    let waitMs = pollMs
    try {
      const client = await pool.connect()
      let broken = false
      try {
        if (await lock(client, options)) await work(client, options, signal)
      } catch (error) {
        broken = true
        throw error
      } finally {
        // A connection that is thrown away lets go of its lock.
        if (!broken) await unlock(client, options).catch(() => (broken = true))
        client.release(broken)
      }
    } catch (error) {
      waitMs = AFTER_ERROR_MS
      log.warn('the outbox is not relayed; trying again', { problem: describeUnknown(translated(error)) })
    }
    await delay(clock, waitMs, signal)
  }
}

async function lock(client: SqlClient, { tables }: RelayOptions): Promise<boolean> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock(hashtext($1)) AS own', [tables.outbox])
  return rows[0]?.['own'] === true
}

async function unlock(client: SqlClient, { tables }: RelayOptions): Promise<void> {
  await client.query('SELECT pg_advisory_unlock(hashtext($1))', [tables.outbox])
}

async function work(client: SqlClient, options: RelayOptions, signal: AbortSignal): Promise<void> {
  const { tables, batchSize, clock, pollMs } = options
  const unsent = `SELECT id, event_id, topic, key, value::text AS value FROM ${tables.outbox}
    WHERE sent_at IS NULL AND problem IS NULL ORDER BY id LIMIT ${batchSize}`
  let prunedAtMs = 0
  while (!signal.aborted) {
    const { rows } = await client.query(unsent)
    if (rows.length > 0) await send(client, options, rows)
    if (clock.nowMs() - prunedAtMs >= PRUNE_EVERY_MS) {
      prunedAtMs = clock.nowMs()
      await prune(client, options)
    }
    if (rows.length < batchSize) await delay(clock, pollMs, signal)
  }
}

async function send(client: SqlClient, options: RelayOptions, rows: readonly SqlRow[]): Promise<void> {
  const { tables, publisher, log } = options
  try {
    await publisher.publishAll(rows.map(eventOf))
  } catch (error) {
    if (!isFaulty(error)) throw error
    const [row] = rows
    // One of them cannot be published, and with it none was: each by itself shows which.
    if (rows.length > 1) return await sendOneByOne(client, options, rows)
    log.error('an event of the outbox cannot be published', { ...describeRow(row), problem: describeUnknown(error) })
    await client.query(`UPDATE ${tables.outbox} SET problem = $2 WHERE id = $1`, [row?.['id'], describeUnknown(error)])
    return
  }
  const ids = rows.map((row) => row['id'])
  await client.query(`UPDATE ${tables.outbox} SET sent_at = now() WHERE id = ANY($1::bigint[])`, [ids])
}

async function sendOneByOne(client: SqlClient, options: RelayOptions, rows: readonly SqlRow[]): Promise<void> {
  for (const row of rows) await send(client, options, [row])
}

async function prune(client: SqlClient, { tables, keepSentMs }: RelayOptions): Promise<void> {
  const old = `DELETE FROM ${tables.outbox} WHERE sent_at < now() - $1::bigint * interval '1 millisecond'`
  await client.query(old, [keepSentMs])
}

/** What no broker and no login is to blame for. */
const FAULTS_OF_AN_EVENT: ReadonlySet<string> = new Set<ErrorCode>([
  'LABAN_CONTRACT_UNKNOWN_TOPIC',
  'LABAN_CONTRACT_VALIDATION',
  'LABAN_CONTRACT_RULE',
  'LABAN_BROKER_MESSAGE_TOO_LARGE',
])

function isFaulty(error: unknown): boolean {
  return isLabanError(error) && FAULTS_OF_AN_EVENT.has(error.code)
}

function eventOf(row: SqlRow): RelayedEvent {
  const key = row['key']
  return {
    eventId: String(row['event_id']),
    topic: String(row['topic']),
    value: decodeValue(String(row['value'])),
    ...(typeof key === 'string' ? { key } : {}),
  }
}

function describeRow(row: SqlRow | undefined): Readonly<Record<string, unknown>> {
  return { id: row?.['id'], eventId: row?.['event_id'], topic: row?.['topic'] }
}
