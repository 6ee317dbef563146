/** How far topics were read, in the ledger itself: a position moves only from exactly where a batch begins, in the transaction that writes it. */
import { LabanError } from '../../contracts/index.ts'
import type { SqlDatabase, SqlSession } from '../../runtime/internal.ts'
import { int4s, int8s } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

/** What one partition gives to a batch: all of it from `fromOffset` up to `toOffset`. */
export interface Move {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
}

/** How far a partition was read, and up to where every flow's line is up to date. */
export interface Position {
  readonly nextOffset: number
  readonly derivedOffset: number
}

/** The positions of one topic. */
export class Positions {
  readonly #database: SqlDatabase
  readonly #tables: LedgerTables
  readonly #topic: string

  constructor(database: SqlDatabase, tables: LedgerTables, topic: string) {
    this.#database = database
    this.#tables = tables
    this.#topic = topic
  }

  /** Where a partition stands; made at `startOffset`, the beginning of the log, when it was never read. */
  async of(partition: number, startOffset: number): Promise<Position> {
    const { positions } = this.#tables
    await this.#database.query(
      `INSERT INTO ${positions} (topic, partition, next_offset, derived_offset) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING`,
      [this.#topic, partition, startOffset],
    )
    const [row] = await this.#database.query<{ next_offset: number; derived_offset: number }>(
      `SELECT next_offset::float8 AS next_offset, derived_offset::float8 AS derived_offset
       FROM ${positions} WHERE topic = $1 AND partition = $2`,
      [this.#topic, partition],
    )
    if (row === undefined) throw new LabanError('LABAN_INVARIANT', { problem: 'a position that was just made is gone' })
    return { nextOffset: row.next_offset, derivedOffset: row.derived_offset }
  }

  /** Next offset to read, of all partitions that were ever read. */
  async all(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#database.query<{ partition: number; next_offset: number }>(
      `SELECT partition, next_offset::float8 AS next_offset FROM ${this.#tables.positions} WHERE topic = $1`,
      [this.#topic],
    )
    return new Map(rows.map((row) => [row.partition, row.next_offset]))
  }

  /** Takes positions in one order. An update takes them in any, so that two of them could wait for each other. */
  async lock(session: SqlSession, partitions: readonly number[]): Promise<void> {
    await session.query(
      `SELECT partition FROM ${this.#tables.positions} WHERE topic = $1 AND partition = ANY($2::int4[])
       ORDER BY partition FOR UPDATE`,
      [this.#topic, int4s(partitions)],
    )
  }

  /** False: some position is not where the batch begins; the transaction must then be rolled back. */
  async move(session: SqlSession, moves: readonly Move[]): Promise<boolean> {
    await this.lock(
      session,
      moves.map(({ partition }) => partition),
    )
    const moved = await session.query(
      `UPDATE ${this.#tables.positions} AS p SET next_offset = u.upto, moved_at = now()
       FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS u (partition, since, upto)
       WHERE p.topic = $1 AND p.partition = u.partition AND p.next_offset = u.since RETURNING p.partition`,
      [
        this.#topic,
        int4s(moves.map(({ partition }) => partition)),
        int8s(moves.map(({ fromOffset }) => fromOffset)),
        int8s(moves.map(({ toOffset }) => toOffset)),
      ],
    )
    return moved.length === moves.length
  }
}
