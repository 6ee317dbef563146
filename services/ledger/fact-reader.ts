/** Decodes facts, and reads them back from the ledger. The bytes are those of the log, so they are read as the log is read. */
import {
  FACT_FORMAT_VERSION,
  FACTS_TOPIC,
  LabanError,
  isLabanError,
  type EventCodec,
  type Fact,
  type Uuid,
} from '../../contracts/index.ts'
import type { SqlDatabase } from '../../runtime/internal.ts'
import type { FactRow } from './fact-rows.ts'
import { timestamps, uuids } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

/** See the file's head. */
export class FactReader {
  readonly #database: SqlDatabase
  readonly #tables: LedgerTables
  readonly #codec: EventCodec

  constructor(database: SqlDatabase, tables: LedgerTables, codec: EventCodec) {
    this.#database = database
    this.#tables = tables
    this.#codec = codec
  }

  /** All stored facts of some flows, in no particular order; `between` spares looking into other days. */
  async factsOf(
    flowIds: readonly Uuid[],
    between?: { readonly sinceMs: number; readonly untilMs: number },
  ): Promise<readonly FactRow[]> {
    const bounds = between === undefined ? '' : ' AND at BETWEEN ($2::timestamptz[])[1] AND ($2::timestamptz[])[2]'
    const rows = await this.#database.query<{
      flow_id: Uuid
      partition: number
      offset: number
      at: number
      value: Buffer
    }>(
      `SELECT flow_id, partition, "offset"::float8 AS offset, extract(epoch FROM at)::float8 * 1000 AS at, value
       FROM ${this.#tables.facts} WHERE flow_id = ANY($1::uuid[])${bounds}`,
      [uuids(flowIds), ...(between === undefined ? [] : [timestamps([between.sinceMs, between.untilMs])])],
    )
    const facts: FactRow[] = []
    for (const { flow_id: flowId, partition, offset, at, value } of rows) {
      const decoded = this.decode({ partition, offset, value })
      // Waiting for each of 100,000 facts would take longer than decoding them.
      const fact = decoded instanceof Promise ? await decoded : decoded
      facts.push({ flowId, partition, offset, atMs: Math.round(at), value, fact })
    }
    return facts
  }

  /**
   * One fact; undefined for bytes that can never be read.
   * @throws LABAN_FORMAT_TOO_NEW, LABAN_REGISTRY_UNAVAILABLE
   */
  decode(record: {
    readonly partition: number
    readonly offset: number
    readonly value: Buffer | null
  }): Fact | undefined | Promise<Fact | undefined> {
    const decoded = this.#tryDecode(record)
    if (!('loadSchemaId' in decoded)) return decoded.fact
    return this.#codec.load(decoded.loadSchemaId).then(() => this.decode(record))
  }

  #tryDecode({
    partition,
    offset,
    value,
  }: {
    readonly partition: number
    readonly offset: number
    readonly value: Buffer | null
  }): { readonly fact: Fact | undefined } | { readonly loadSchemaId: number } {
    try {
      const decoded = this.#codec.decode(FACTS_TOPIC, value, { partition, offset })
      if ('loadSchemaId' in decoded) return decoded
      const fact = decoded.value as Fact
      if (fact.formatVersion <= FACT_FORMAT_VERSION) return { fact }
      const what = `${FACTS_TOPIC}/${partition}@${offset}`
      throw new LabanError('LABAN_FORMAT_TOO_NEW', { what, found: fact.formatVersion, known: FACT_FORMAT_VERSION })
    } catch (error) {
      if (isLabanError(error) && error.errorClass === 'terminal') return { fact: undefined }
      throw error
    }
  }
}
