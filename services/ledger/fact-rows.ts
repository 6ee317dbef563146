/**
 * Writes facts as they stand on the log, together with how far the log was read. The position moves from exactly the offset at which
 * the batch begins, or nothing is written: that makes a repeated batch harmless and shuts out an instance that lost the partition.
 */
import { FACTS_TOPIC, type Fact, type Uuid } from '../../contracts/index.ts'
import type { SqlDatabase, SqlSession } from '../../runtime/internal.ts'
import { dayOf, type Days } from './days.ts'
import { byteas, int4s, int8s, timestamps, uuids } from './pg-arrays.ts'
import { Positions, type Move, type Position } from './positions.ts'
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

/** See the file's head. */
export class FactRows {
  readonly #database: SqlDatabase
  readonly #tables: LedgerTables
  readonly #days: Days
  readonly #positions: Positions

  constructor(database: SqlDatabase, tables: LedgerTables, days: Days) {
    this.#database = database
    this.#tables = tables
    this.#days = days
    this.#positions = new Positions(database, tables, FACTS_TOPIC)
  }

  /** Where a partition stands; made at `startOffset`, the beginning of the log, when it was never read. */
  position(partition: number, startOffset: number): Promise<Position> {
    return this.#positions.of(partition, startOffset)
  }

  /** Where all partitions stand that were ever read. */
  positions(): Promise<ReadonlyMap<number, number>> {
    return this.#positions.all()
  }

  /**
   * Writes a batch in one transaction. False: some position was not where the batch begins, and nothing was written.
   * @throws LABAN_LEDGER_UNAVAILABLE; the batch may then have been written all the same
   */
  async append(rows: readonly FactRow[], moves: readonly Move[]): Promise<boolean> {
    await this.#days.ensure(rows.map(({ atMs }) => dayOf(atMs)))
    return await this.#database
      .transaction(async (session) => {
        if (!(await this.#positions.move(session, moves))) throw new Overtaken()
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
    await this.#positions.lock(session, [...offsets.keys()])
    await session.query(
      `UPDATE ${this.#tables.positions} AS p SET derived_offset = greatest(derived_offset, least(u.upto, next_offset))
       FROM unnest($2::int4[], $3::int8[]) AS u (partition, upto)
       WHERE p.topic = $1 AND p.partition = u.partition AND p.derived_offset < u.upto`,
      [FACTS_TOPIC, int4s([...offsets.keys()]), int8s([...offsets.values()])],
    )
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
