/** The manifests in the ledger: the newest of every instance. All instances of the ledger read them; writing the same one twice is harmless. */
import { AGENTS_TOPIC, MANIFEST_FORMAT_VERSION, type EventCodec, type Manifest } from '../../contracts/index.ts'
import { decodeRecord, type Broker, type SqlDatabase } from '../../runtime/internal.ts'
import { Subscriptions } from '../../tracing/index.ts'
import { byteas, int4s, int8s, texts } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

interface Announced {
  readonly key: string
  readonly partition: number
  readonly offset: number
  readonly value: Buffer | null
}

/** See the file's head. */
export class ManifestTable {
  readonly #database: SqlDatabase
  readonly #tables: LedgerTables
  readonly #broker: Pick<Broker, 'admin' | 'reader'>
  readonly #codec: EventCodec
  readonly #byKey = new Map<string, Manifest>()
  /** Next offset to read, per partition; undefined before the table was read. */
  #next: Map<number, number> | undefined
  #subscriptions = new Subscriptions([])

  constructor(options: {
    readonly database: SqlDatabase
    readonly tables: LedgerTables
    readonly broker: Pick<Broker, 'admin' | 'reader'>
    readonly codec: EventCodec
  }) {
    this.#database = options.database
    this.#tables = options.tables
    this.#broker = options.broker
    this.#codec = options.codec
  }

  /** As of the last `refresh`. */
  get subscriptions(): Subscriptions {
    return this.#subscriptions
  }

  get manifests(): readonly Manifest[] {
    return [...this.#byKey.values()]
  }

  /** Reads what is new on the log. With `store`, it is also written to the table. */
  async refresh({ store }: { readonly store: boolean }): Promise<void> {
    if (store && (await this.#wasEmptied())) this.#next = undefined
    const isFirst = this.#next === undefined
    const next = (this.#next ??= await this.#readTable())
    const read = await this.#readLog(next)
    if (store && read.records.length > 0) await this.#write(read.records, read.next)
    for (const record of read.records) await this.#take(record)
    this.#next = read.next
    if (isFirst || read.records.length > 0) this.#subscriptions = new Subscriptions(this.manifests)
  }

  /** Somebody rebuilds the ledger: what was stored is read again from the beginning. */
  async #wasEmptied(): Promise<boolean> {
    if (this.#next === undefined || this.#next.size === 0) return false
    const found = await this.#database.query(`SELECT partition FROM ${this.#tables.positions} WHERE topic = $1`, [
      AGENTS_TOPIC,
    ])
    return found.length === 0
  }

  async #readTable(): Promise<Map<number, number>> {
    const { manifests, positions } = this.#tables
    const rows = await this.#database.query<{ key: string; partition: number; offset: number; value: Buffer | null }>(
      `SELECT key, partition, "offset"::float8 AS offset, value FROM ${manifests}`,
    )
    for (const row of rows) await this.#take(row)
    const found = await this.#database.query<{ partition: number; next: number }>(
      `SELECT partition, next_offset::float8 AS next FROM ${positions} WHERE topic = $1`,
      [AGENTS_TOPIC],
    )
    return new Map(found.map(({ partition, next }) => [partition, next]))
  }

  async #readLog(
    known: ReadonlyMap<number, number>,
  ): Promise<{ readonly records: readonly Announced[]; readonly next: Map<number, number> }> {
    const records: Announced[] = []
    const next = new Map(known)
    for (const { partition, startOffset, endOffset } of await this.#broker.admin.offsets(AGENTS_TOPIC)) {
      const fromOffset = Math.max(startOffset, known.get(partition) ?? 0)
      if (fromOffset >= endOffset) continue
      for await (const batch of this.#broker.reader.read({
        topic: AGENTS_TOPIC,
        partition,
        fromOffset,
        toOffset: endOffset,
      })) {
        for (const { key, offset, value } of batch) {
          records.push({
            key: key?.toString('utf8') ?? '',
            partition,
            offset,
            value: value === null ? null : Buffer.from(value),
          })
        }
      }
      next.set(partition, endOffset)
    }
    return { records, next }
  }

  async #take({ key, partition, offset, value }: Announced): Promise<void> {
    if (value === null) {
      this.#byKey.delete(key)
      return
    }
    const record = { offset, timestampMs: 0, key: null, value, headers: {} }
    const manifest = await decodeRecord<Manifest>(
      this.#codec,
      { topic: AGENTS_TOPIC, partition },
      record,
      MANIFEST_FORMAT_VERSION,
    )
    if (manifest !== undefined) this.#byKey.set(key, manifest)
  }

  /** A slower instance must not put an older one back: of one key the highest offset stays, a deletion included. */
  async #write(records: readonly Announced[], next: ReadonlyMap<number, number>): Promise<void> {
    const newest = [...new Map(records.map((record) => [record.key, record])).values()]
    await this.#database.transaction(async (session) => {
      await session.query(
        `INSERT INTO ${this.#tables.manifests} AS m (key, partition, "offset", value)
         SELECT * FROM unnest($1::text[], $2::int4[], $3::int8[], $4::bytea[])
         ON CONFLICT (key) DO UPDATE SET partition = excluded.partition, "offset" = excluded."offset", value = excluded.value
         WHERE m."offset" < excluded."offset"`,
        [
          texts(newest.map(({ key }) => key)),
          int4s(newest.map(({ partition }) => partition)),
          int8s(newest.map(({ offset }) => offset)),
          byteas(newest.map(({ value }) => value)),
        ],
      )
      await session.query(
        `INSERT INTO ${this.#tables.positions} AS p (topic, partition, next_offset, derived_offset)
         SELECT $1, partition, upto, upto FROM unnest($2::int4[], $3::int8[]) AS u (partition, upto)
         ON CONFLICT (topic, partition) DO UPDATE SET next_offset = greatest(p.next_offset, excluded.next_offset),
           derived_offset = greatest(p.derived_offset, excluded.derived_offset), moved_at = now()`,
        [AGENTS_TOPIC, int4s([...next.keys()]), int8s([...next.values()])],
      )
    })
  }
}
