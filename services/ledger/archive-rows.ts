/**
 * The archive's rows: records of chosen topics as they lay on the log. They are written together with how far their topic was read, by
 * the rule that facts keep, so no record is there twice. Unlike all else in the ledger they cannot be read again once their topic has
 * forgotten them.
 */
import type { Uuid } from '../../contracts/index.ts'
import {
  HeaderBlock,
  type ArchivedRecord,
  type RecordArchive,
  type SqlDatabase,
  type SqlSession,
} from '../../runtime/internal.ts'
import { DAY_MS, dayOf, Days } from './days.ts'
import { byteas, float8s, int4s, int8s, texts, timestamps, uuids } from './pg-arrays.ts'
import { Positions, type Move } from './positions.ts'
import type { LedgerTables } from './tables.ts'

/** A topic whose records are kept. */
export interface ArchivedTopic {
  readonly topic: string
  /** Counted from the record's own time, as the topic's retention is; -1 for ever. */
  readonly keepMs: number
}

/** A record on its way into the archive. */
export interface BodyRow extends ArchivedRecord {
  readonly eventId: Uuid
  readonly flowId: Uuid
}

/** See the file's head. */
export class ArchiveRows {
  readonly #database: SqlDatabase
  readonly #tables: LedgerTables
  readonly #days: Days

  constructor(database: SqlDatabase, tables: LedgerTables) {
    this.#database = database
    this.#tables = tables
    this.#days = new Days(database, tables, ['bodies'])
  }

  /** Notes how long topics are kept. One that is not archived any more keeps what was last said of it. */
  async register(topics: readonly ArchivedTopic[]): Promise<void> {
    await this.#database.query(
      `INSERT INTO ${this.#tables.archives} (topic, keep_ms) SELECT * FROM unnest($1::text[], $2::float8[])
       ON CONFLICT (topic) DO UPDATE SET keep_ms = excluded.keep_ms`,
      [texts(topics.map(({ topic }) => topic)), float8s(topics.map(({ keepMs }) => keepMs))],
    )
  }

  /** Next offset to archive; that at which the topic begins when nothing of it ever was. */
  async nextOffset(topic: string, partition: number, startOffset: number): Promise<number> {
    return (await this.#positions(topic).of(partition, startOffset)).nextOffset
  }

  /**
   * Writes records of one partition in one transaction. False: the position was not where they begin, and nothing was written.
   * @throws LABAN_LEDGER_UNAVAILABLE; the records may then have been written all the same
   */
  async append(topic: string, rows: readonly BodyRow[], move: Move): Promise<boolean> {
    await this.#days.ensure(rows.map(({ timestampMs }) => dayOf(timestampMs)))
    return await this.#database
      .transaction(async (session) => {
        if (!(await this.#positions(topic).move(session, [move]))) throw new Overtaken()
        if (rows.length > 0) await this.#insert(session, rows)
        return true
      })
      .catch((error: unknown) => {
        if (error instanceof Overtaken) return false
        this.#days.forget()
        throw error
      })
  }

  /** Forgets whole days that are over for their topics. */
  async forget(nowMs: number): Promise<void> {
    const { archives, bodies } = this.#tables
    const kept = await this.#database.query<{ topic: string; keep: number }>(
      `SELECT topic, keep_ms AS keep FROM ${archives}`,
    )
    const longestMs = Math.max(0, ...kept.map(({ keep }) => (keep === -1 ? Infinity : keep)))
    if (longestMs < Infinity) await this.#days.dropBefore(nowMs - longestMs)
    const days = await this.#days.list()
    for (const { topic, keep } of kept) {
      if (keep === -1 || keep === longestMs) continue
      for (const day of days.filter((each) => each < dayOf(nowMs - keep))) {
        const bounds = timestamps([day * DAY_MS, (day + 1) * DAY_MS])
        // The bounds leave one day's table to look into.
        await this.#database.query(
          `DELETE FROM ${bodies} WHERE topic = $1 AND at >= ($2::timestamptz[])[1] AND at < ($2::timestamptz[])[2]`,
          [topic, bounds],
        )
      }
    }
  }

  #positions(topic: string): Positions {
    return new Positions(this.#database, this.#tables, topic)
  }

  async #insert(session: SqlSession, rows: readonly BodyRow[]): Promise<void> {
    await session.query(
      `INSERT INTO ${this.#tables.bodies} (at, "offset", event_id, flow_id, partition, topic, key, headers, value)
       SELECT * FROM unnest($1::timestamptz[], $2::int8[], $3::uuid[], $4::uuid[], $5::int4[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[])`,
      [
        timestamps(rows.map(({ timestampMs }) => timestampMs)),
        int8s(rows.map(({ offset }) => offset)),
        uuids(rows.map(({ eventId }) => eventId)),
        uuids(rows.map(({ flowId }) => flowId)),
        int4s(rows.map(({ partition }) => partition)),
        texts(rows.map(({ topic }) => topic)),
        byteas(rows.map(({ key }) => key)),
        byteas(rows.map(({ headers }) => HeaderBlock.ofReceived(headers).bytes)),
        byteas(rows.map(({ value }) => value)),
      ],
    )
  }
}

/** Reads the archive of a ledger. */
export function ledgerArchive(database: SqlDatabase, { bodies }: LedgerTables): RecordArchive {
  return {
    async records(places) {
      if (places.length === 0) return []
      const rows = await database.query<{
        topic: string
        partition: number
        offset: number
        at: number
        key: Buffer | null
        headers: Buffer
        value: Buffer | null
      }>(
        `SELECT b.topic, b.partition, b."offset"::float8 AS offset, extract(epoch FROM b.at)::float8 * 1000 AS at,
                b.key, b.headers, b.value
         FROM unnest($1::text[], $2::int4[], $3::int8[]) AS u (topic, partition, "offset")
         JOIN ${bodies} AS b USING ("offset", partition, topic)`,
        [
          texts(places.map(({ topic }) => topic)),
          int4s(places.map(({ partition }) => partition)),
          int8s(places.map(({ offset }) => offset)),
        ],
      )
      return rows.map(({ at, headers, ...row }) => ({
        ...row,
        timestampMs: Math.round(at),
        headers: new HeaderBlock(headers).toReceived(),
      }))
    },
  }
}

const OF_ID = 'WHERE event_id = ANY($1::uuid[]) OR flow_id = ANY($1::uuid[])'

/** Topics of what is archived of one event, or of all events of one flow, and how many records of each. */
export async function archivedOf(
  database: SqlDatabase,
  { bodies }: LedgerTables,
  id: Uuid,
): Promise<ReadonlyMap<string, number>> {
  const rows = await database.query<{ topic: string; records: number }>(
    `SELECT topic, count(*)::float8 AS records FROM ${bodies} ${OF_ID} GROUP BY topic ORDER BY topic`,
    [uuids([id])],
  )
  return new Map(rows.map(({ topic, records }) => [topic, records]))
}

/** Erases it; the answer is how many records. What was erased is not archived again, because its topic's position stays. */
export async function eraseArchived(database: SqlDatabase, { bodies }: LedgerTables, id: Uuid): Promise<number> {
  const rows = await database.query(`DELETE FROM ${bodies} ${OF_ID} RETURNING 1 AS one`, [uuids([id])])
  return rows.length
}

/** Rolls the transaction back. */
class Overtaken extends Error {}
