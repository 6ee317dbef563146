/**
 * What an instance of the ledger does, one piece at a time: write a batch of facts, derive lines, follow the manifests, forget. When
 * each piece is due says `ledger.ts`; whatever order they come in, and wherever one of them breaks off, the rows come out the same.
 */
import type { EventCodec } from '../../contracts/index.ts'
import type { Broker, Clock, Logger, SqlDatabase } from '../../runtime/internal.ts'
import { ArchiveRows, type ArchivedTopic } from './archive-rows.ts'
import { Archiver, type ArchiveFigures } from './archiver.ts'
import { Days } from './days.ts'
import { FactReader } from './fact-reader.ts'
import { FactRows } from './fact-rows.ts'
import { FlowBook } from './flow-book.ts'
import { FlowDurations } from './flow-durations.ts'
import { FlowLines } from './flow-lines.ts'
import { Intake } from './intake.ts'
import { LedgerFigures } from './ledger-figures.ts'
import { ManifestTable } from './manifest-table.ts'
import { int4s } from './pg-arrays.ts'
import { forgetBefore, type Forgotten } from './retention.ts'
import { analyzeGrown } from './statistics.ts'
import type { LedgerTables } from './tables.ts'

/** What it works on. */
export interface LedgerWorkOptions {
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  readonly codec: EventCodec
  readonly clock: Clock
  readonly log: Logger
  /** Facts of one transaction at most. */
  readonly maxBatchFacts: number
  /** How long a flow must be quiet before its line is derived. */
  readonly quietMs: number
  /** Topics whose records are kept when they have forgotten them. @default none */
  readonly archive?: readonly ArchivedTopic[]
  /** Lines derived in one transaction at most. @default 500 */
  readonly maxLines?: number
}

/** A busy flow's line is derived at the latest after so many quiet times. */
const LATEST_QUIETS = 4
const MAX_HELD_FACTS = 200_000
const MAX_LINES = 500
/** Beyond so many stale lines facts wait: they would only be read back again. */
const MAX_STALE_FLOWS = 20_000
const MAX_REVISITED = 5_000

/** How a piece of work ended: nothing to do, all done, or more to do at once. */
export type Progress = 'idle' | 'done' | 'more'

/** See the file's head. The tables must be there. */
export class LedgerWork {
  readonly intake: Intake
  readonly figures = new LedgerFigures()
  readonly durations = new FlowDurations()
  readonly #options: LedgerWorkOptions
  readonly #book: FlowBook
  readonly #days: Days
  readonly #rows: FactRows
  readonly #lines: FlowLines
  readonly #manifests: ManifestTable
  readonly #archiveRows: ArchiveRows
  readonly #archiver: Archiver

  constructor(options: LedgerWorkOptions) {
    const { database, tables, codec, broker, log, quietMs, maxBatchFacts, clock, archive = [] } = options
    this.#options = options
    this.#book = new FlowBook({ quietMs, latestMs: quietMs * LATEST_QUIETS, maxFacts: MAX_HELD_FACTS })
    this.#days = new Days(database, tables)
    this.#rows = new FactRows(database, tables, this.#days)
    const reader = new FactReader(database, tables, codec)
    const { durations } = this
    this.#lines = new FlowLines({ database, tables, rows: this.#rows, reader, book: this.#book, durations, clock })
    this.#manifests = new ManifestTable({ database, tables, broker, codec })
    this.#archiveRows = new ArchiveRows(database, tables)
    this.#archiver = new Archiver({ broker, rows: this.#archiveRows, topics: archive, clock, log })
    this.intake = new Intake({
      broker,
      rows: this.#rows,
      reader,
      log,
      maxBatchFacts,
      maxWaitingFacts: 2 * maxBatchFacts,
      onOpened: async (partition, position) => {
        for (const [flowId, first] of await this.#rows.flowsFrom(partition, position)) {
          this.#book.revisit({ flowId, partition }, first, clock.steadyMs())
        }
      },
      onLost: (partition) => this.#book.dropPartition(partition),
    })
  }

  /** Flows whose line is not up to date. */
  get staleFlows(): number {
    return this.#book.staleFlows
  }

  /** Writes one batch of what was taken off the log. @throws LABAN_LEDGER_UNAVAILABLE, LABAN_BROKER_UNAVAILABLE, LABAN_FORMAT_TOO_NEW */
  async ingest(): Promise<Progress> {
    const { intake } = this
    await intake.open()
    await intake.readBehind()
    if (this.#book.staleFlows > MAX_STALE_FLOWS) return 'idle'
    const batch = await intake.next()
    if (batch === undefined) return 'idle'
    const { clock } = this.#options
    const begunMs = clock.steadyMs()
    if (!(await this.#rows.append(batch.rows, batch.moves))) {
      intake.distrust(batch)
      return 'more'
    }
    const nowMs = clock.steadyMs()
    this.figures.batches.record(nowMs - begunMs)
    this.figures.stored += batch.rows.length
    const ours = new Set(intake.partitions)
    for (const row of batch.rows) if (ours.has(row.partition)) this.#book.add(row, nowMs)
    intake.written(batch)
    return intake.waitingFacts > 0 ? 'more' : 'done'
  }

  /** Derives the lines that are due. @throws LABAN_LEDGER_UNAVAILABLE */
  async derive(): Promise<Progress> {
    const { clock, maxLines = MAX_LINES } = this.#options
    const nowMs = clock.steadyMs()
    const due = this.#book.takeDue(nowMs, maxLines)
    if (due.length === 0) {
      this.#book.trim()
      return 'idle'
    }
    await this.#lines.derive(due, this.#manifests.subscriptions, { nowMs, derivedUpTo: () => this.#derivedUpTo() })
    return due.length < maxLines ? 'done' : 'more'
  }

  /** Lines of unfinished flows depend on who is there: they are derived again when that has changed, also after a restart. */
  async followManifests(): Promise<void> {
    const { database, tables, clock } = this.#options
    await this.#manifests.refresh({ store: true })
    await this.intake.check()
    if (this.#book.staleFlows > MAX_REVISITED) return
    const rows = await database.query<{ flow_id: string; partition: number }>(
      `SELECT flow_id, partition FROM ${tables.flows}
       WHERE NOT complete AND partition = ANY($1::int4[]) AND subscriptions <> $2 LIMIT ${MAX_REVISITED}`,
      [int4s(this.intake.partitions), this.#manifests.subscriptions.fingerprint],
    )
    const nowMs = clock.steadyMs()
    for (const { flow_id: flowId, partition } of rows) this.#book.revisit({ flowId, partition }, Infinity, nowMs)
  }

  /** What was archived, by topic. */
  get archived(): ReadonlyMap<string, Readonly<ArchiveFigures>> {
    return this.#archiver.figures
  }

  /** Says how long archived topics are kept; before anything is archived. */
  async beginArchive(): Promise<void> {
    const { archive = [] } = this.#options
    if (archive.length > 0) await this.#archiveRows.register(archive)
  }

  /** Archives what is new, a batch of each partition. @throws LABAN_LEDGER_UNAVAILABLE, LABAN_BROKER_UNAVAILABLE */
  async archive(): Promise<Progress> {
    return (await this.#archiver.round(this.intake.partitions)) ? 'more' : 'done'
  }

  /** Forgets what was archived for as long as its topic asks. */
  async forgetArchived(): Promise<void> {
    await this.#archiveRows.forget(this.#options.clock.nowMs())
  }

  /** Keeps reading quick. @throws LABAN_LEDGER_UNAVAILABLE */
  async tend(): Promise<void> {
    await this.#days.summarize()
    await analyzeGrown(this.#options.database, this.#options.tables)
  }

  /** Forgets what ended before this time. */
  async forgetBefore(atMs: number): Promise<Forgotten> {
    const { database, tables } = this.#options
    return await forgetBefore(atMs, { database, tables, days: this.#days })
  }

  #derivedUpTo(): ReadonlyMap<number, number> {
    const upTo = this.intake.storedOffsets()
    for (const [partition, offset] of this.#book.lowestStale()) {
      upTo.set(partition, Math.min(upTo.get(partition) ?? offset, offset))
    }
    return upTo
  }
}
