/**
 * Writes facts as they stand on the log, together with how far the log was read. The position moves from exactly the offset at which
 * the batch begins, or nothing is written: that makes a repeated batch harmless and shuts out an instance that lost the partition.
 */
import { FACTS_TOPIC, LabanError, type Fact, type Uuid } from '../../contracts/index.ts'
import type { SqlDatabase, SqlSession } from '../../runtime/internal.ts'
import { dayOf, type Days } from './days.ts'
import { byteas, int4s, int8s, timestamps, uuids } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

/** A fact on its way into the ledger. */
export interface FactRow {
  readonly partition: number
  readonly offset: number
  /** Timestamp of the record. */
  readonly atMs: number
  readonly flowId: Uuid
  readonly value: Buffer
  /** Undefined when it could not be decoded. */
  readonly fact: Fact | undefined
}

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

/** See the file's head. */
export class FactRows {
  readonly #database: SqlDatabase
  readonly #tables: LedgerTables
  readonly #days: Days

  constructor(database: SqlDatabase, tables: LedgerTables, days: Days) {
    this.#database = database
    this.#tables = tables
    this.#days = days
  }

  /** Where a partition stands; made at `startOffset`, the beginning of the log, when it was never read. */
  async position(partition: number, startOffset: number): Promise<Position> {
    const { positions } = this.#tables
    await this.#database.query(
      `INSERT INTO ${positions} (topic, partition, next_offset, derived_offset) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING`,
      [FACTS_TOPIC, partition, startOffset],
    )
    const [row] = await this.#database.query<{ next_offset: number; derived_offset: number }>(
      `SELECT next_offset::float8 AS next_offset, derived_offset::float8 AS derived_offset
       FROM ${positions} WHERE topic = $1 AND partition = $2`,
      [FACTS_TOPIC, partition],
    )
    if (row === undefined) throw new LabanError('LABAN_INVARIANT', { problem: 'a position that was just made is gone' })
    return { nextOffset: row.next_offset, derivedOffset: row.derived_offset }
  }

  /** Where all partitions stand that were ever read. */
  async positions(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#database.query<{ partition: number; next_offset: number }>(
      `SELECT partition, next_offset::float8 AS next_offset FROM ${this.#tables.positions} WHERE topic = $1`,
      [FACTS_TOPIC],
    )
    return new Map(rows.map((row) => [row.partition, row.next_offset]))
  }

  /**
   * Writes a batch in one transaction. False: some position was not where the batch begins, and nothing was written.
   * @throws LABAN_LEDGER_UNAVAILABLE; the batch may then have been written all the same
   */
  async append(rows: readonly FactRow[], moves: readonly Move[]): Promise<boolean> {
    await this.#days.ensure(rows.map(({ atMs }) => dayOf(atMs)))
    return await this.#database
      .transaction(async (session) => {
        if (!(await this.#move(session, moves))) throw new Overtaken()
        if (rows.length > 0) await this.#insertFacts(session, rows)
        await this.#insertEvents(session, rows)
        return true
      })
      .catch((error: unknown) => {
        if (error instanceof Overtaken) return false
        this.#days.forget()
        throw error
      })
  }

  /** Flows with facts from `derivedOffset` on: their lines may not be up to date. */
  async flowsFrom(partition: number, { derivedOffset, nextOffset }: Position): Promise<ReadonlyMap<Uuid, number>> {
    if (derivedOffset >= nextOffset) return new Map()
    const rows = await this.#database.query<{ flow_id: Uuid; first: number }>(
      `SELECT flow_id, min("offset")::float8 AS first FROM ${this.#tables.facts}
       WHERE partition = $1 AND "offset" >= $2 GROUP BY flow_id`,
      [partition, derivedOffset],
    )
    return new Map(rows.map((row) => [row.flow_id, row.first]))
  }

  /** Says up to where lines are up to date. It only ever grows: what another instance has seen to stays true. */
  async derived(session: SqlSession, offsets: ReadonlyMap<number, number>): Promise<void> {
    await this.#lock(session, [...offsets.keys()])
    await session.query(
      `UPDATE ${this.#tables.positions} AS p SET derived_offset = greatest(derived_offset, least(u.upto, next_offset))
       FROM unnest($2::int4[], $3::int8[]) AS u (partition, upto)
       WHERE p.topic = $1 AND p.partition = u.partition AND p.derived_offset < u.upto`,
      [FACTS_TOPIC, int4s([...offsets.keys()]), int8s([...offsets.values()])],
    )
  }

  /** Takes positions in one order. An update takes them in any, so that two of them could wait for each other. */
  async #lock(session: SqlSession, partitions: readonly number[]): Promise<void> {
    await session.query(
      `SELECT partition FROM ${this.#tables.positions} WHERE topic = $1 AND partition = ANY($2::int4[])
       ORDER BY partition FOR UPDATE`,
      [FACTS_TOPIC, int4s(partitions)],
    )
  }

  async #move(session: SqlSession, moves: readonly Move[]): Promise<boolean> {
    await this.#lock(
      session,
      moves.map(({ partition }) => partition),
    )
    const moved = await session.query(
      `UPDATE ${this.#tables.positions} AS p SET next_offset = u.upto, moved_at = now()
       FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS u (partition, since, upto)
       WHERE p.topic = $1 AND p.partition = u.partition AND p.next_offset = u.since RETURNING p.partition`,
      [
        FACTS_TOPIC,
        int4s(moves.map(({ partition }) => partition)),
        int8s(moves.map(({ fromOffset }) => fromOffset)),
        int8s(moves.map(({ toOffset }) => toOffset)),
      ],
    )
    return moved.length === moves.length
  }

  async #insertFacts(session: SqlSession, rows: readonly FactRow[]): Promise<void> {
    await session.query(
      `INSERT INTO ${this.#tables.facts} (at, "offset", flow_id, partition, value)
       SELECT * FROM unnest($1::timestamptz[], $2::int8[], $3::uuid[], $4::int4[], $5::bytea[])`,
      [
        timestamps(rows.map(({ atMs }) => atMs)),
        int8s(rows.map(({ offset }) => offset)),
        uuids(rows.map(({ flowId }) => flowId)),
        int4s(rows.map(({ partition }) => partition)),
        byteas(rows.map(({ value }) => value)),
      ],
    )
  }

  /** A first event has the id of its flow and needs no row. */
  async #insertEvents(session: SqlSession, rows: readonly FactRow[]): Promise<void> {
    const outputs = rows.flatMap(({ fact, atMs, flowId }) =>
      (fact?.outputs ?? []).flatMap(({ eventId }) => (eventId === flowId ? [] : [{ eventId, atMs, flowId }])),
    )
    if (outputs.length === 0) return
    await session.query(
      `INSERT INTO ${this.#tables.events} (at, event_id, flow_id)
       SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::uuid[])`,
      [
        timestamps(outputs.map(({ atMs }) => atMs)),
        uuids(outputs.map(({ eventId }) => eventId)),
        uuids(outputs.map(({ flowId }) => flowId)),
      ],
    )
  }
}

/** Rolls the transaction back. */
class Overtaken extends Error {}
