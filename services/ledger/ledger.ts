/**
 * The running ledger: takes facts in, derives the lines of flows, follows the manifests, forgets what is too old. It may be away for
 * as long as the log keeps the facts; nobody waits for it.
 */
import { FACTS_TOPIC, isLabanError, type EventCodec } from '../../contracts/index.ts'
import {
  delay,
  errorFields,
  type Broker,
  type BrokerConsumer,
  type Clock,
  type Health,
  type Logger,
  type SqlDatabase,
} from '../../runtime/internal.ts'
import { Days } from './days.ts'
import { FactReader } from './fact-reader.ts'
import { FactRows } from './fact-rows.ts'
import { FlowBook } from './flow-book.ts'
import { FlowLines } from './flow-lines.ts'
import { Intake } from './intake.ts'
import { ManifestTable } from './manifest-table.ts'
import { forgetBefore } from './retention.ts'
import { int4s } from './pg-arrays.ts'
import { migrate, type LedgerTables } from './tables.ts'

/** Consumer group of all instances. */
export const LEDGER_GROUP = 'laban.ledger'

/** What a ledger runs on. */
export interface LedgerOptions {
  readonly broker: Broker
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  readonly codec: EventCodec
  readonly clock: Clock
  readonly log: Logger
  /** How long facts are kept; -1 for ever. */
  readonly retentionMs: number
  /** Facts of one transaction at most. @default 5000 */
  readonly maxBatchFacts?: number
  /** How long a flow must be quiet before its line is derived. @default 500 */
  readonly quietMs?: number
  /** Told when it cannot go on. */
  readonly onFatal: (error: unknown) => void
}

const DEFAULTS = { maxBatchFacts: 5_000, quietMs: 500 }
/** A busy flow's line is derived at the latest after so many quiet times. */
const LATEST_QUIETS = 4
const MAX_HELD_FACTS = 200_000
const MAX_LINES = 500
/** Beyond so many stale lines facts wait: they would only be read back again. */
const MAX_STALE_FLOWS = 20_000
const PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000
const MANIFESTS_EVERY_MS = 1_000
const COMMIT_EVERY_MS = 2_000
const RETENTION_EVERY_MS = 600_000
const MAX_REVISITED = 5_000

/** See the file's head. */
export class Ledger {
  readonly #options: Required<LedgerOptions>
  readonly #book: FlowBook
  readonly #days: Days
  readonly #rows: FactRows
  readonly #lines: FlowLines
  readonly #intake: Intake
  readonly #manifests: ManifestTable
  readonly #stopping = new AbortController()
  readonly #problems = new Map<string, string>()
  #state: Health['state'] = 'starting'
  #consumer: BrokerConsumer | undefined
  #loops: readonly Promise<void>[] = []

  constructor(given: LedgerOptions) {
    const options = { ...DEFAULTS, ...given }
    const { database, tables, codec, broker, log, quietMs, maxBatchFacts } = options
    this.#options = options
    this.#book = new FlowBook({ quietMs, latestMs: quietMs * LATEST_QUIETS, maxFacts: MAX_HELD_FACTS })
    this.#days = new Days(database, tables)
    this.#rows = new FactRows(database, tables, this.#days)
    const reader = new FactReader(database, tables, codec)
    this.#lines = new FlowLines({ database, tables, rows: this.#rows, reader, book: this.#book })
    this.#manifests = new ManifestTable({ database, tables, broker, codec })
    this.#intake = new Intake({
      broker,
      rows: this.#rows,
      reader,
      log,
      maxBatchFacts,
      maxWaitingFacts: 2 * maxBatchFacts,
      onOpened: async (partition, position) => {
        const nowMs = this.#options.clock.steadyMs()
        for (const [flowId, first] of await this.#rows.flowsFrom(partition, position)) {
          this.#book.revisit({ flowId, partition }, first, nowMs)
        }
      },
      onLost: (partition) => this.#book.dropPartition(partition),
    })
  }

  /** For `/live` and `/ready`. */
  get health(): Health {
    const problems = [...this.#problems].map(([what, problem]) => `${what}: ${problem}`)
    return {
      state: this.#state,
      isReady: this.#state === 'running' && problems.length === 0,
      problems,
      warnings: [],
      agents: [],
    }
  }

  /** True when all that the log held when it was last heard of is written and accounted for. */
  get isCaughtUp(): boolean {
    return this.#intake.lagFacts === 0 && this.#book.staleFlows === 0
  }

  /**
   * Makes or updates the tables, joins the group and begins.
   * @throws LABAN_LEDGER_UNAVAILABLE, LABAN_LEDGER_REFUSED, LABAN_LEDGER_NEWER, LABAN_BROKER_UNAVAILABLE
   */
  async start(): Promise<void> {
    const { broker, database, tables } = this.#options
    await migrate(database, tables)
    await this.#manifests.refresh({ store: true })
    this.#consumer = await broker.consumer(
      { group: LEDGER_GROUP, topics: [FACTS_TOPIC], startFrom: 'earliest' },
      {
        onAssigned: (assignment) => this.#intake.assign(assignment),
        onRebalancing: () => [],
        onBatch: (batch) => this.#intake.take(batch),
        onCrash: (error) => this.#options.onFatal(error),
      },
    )
    this.#intake.attach(this.#consumer)
    this.#state = 'running'
    this.#loops = [
      this.#loop('facts', () => this.#ingest()),
      this.#loop('flows', () => this.#derive()),
      this.#loop('manifests', () => this.#followManifests()),
      this.#loop('retention', () => this.#forget()),
      this.#loop('commit', () => this.#commit()),
    ]
  }

  /** Writes what is under way, leaves the group. Twice is harmless. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'draining'
    this.#stopping.abort()
    await Promise.all(this.#loops)
    await this.#intake.commit()
    await this.#consumer?.stop()
    this.#state = 'stopped'
  }

  /** One transaction of facts; the answer is how long to wait for the next. */
  async #ingest(): Promise<number> {
    await this.#intake.open()
    if (this.#book.staleFlows > MAX_STALE_FLOWS) return PAUSE_MS
    const batch = await this.#intake.next()
    if (batch === undefined) return PAUSE_MS
    if (!(await this.#rows.append(batch.rows, batch.moves))) {
      this.#intake.distrust(batch)
      return 0
    }
    const nowMs = this.#options.clock.steadyMs()
    const ours = new Set(this.#intake.partitions)
    for (const row of batch.rows) if (ours.has(row.partition)) this.#book.add(row, nowMs)
    this.#intake.written(batch)
    // A moment's wait makes one transaction of what trickles in.
    return this.#intake.waitingFacts > 0 ? 0 : PAUSE_MS
  }

  async #derive(): Promise<number> {
    const { clock } = this.#options
    const nowMs = clock.steadyMs()
    const due = this.#book.takeDue(nowMs, MAX_LINES)
    if (due.length === 0) {
      this.#book.trim()
      return PAUSE_MS
    }
    await this.#lines.derive(due, this.#manifests.subscriptions, {
      nowMs,
      derivedUpTo: () => {
        const upTo = this.#intake.storedOffsets()
        for (const [partition, offset] of this.#book.lowestStale()) {
          upTo.set(partition, Math.min(upTo.get(partition) ?? offset, offset))
        }
        return upTo
      },
    })
    return due.length < MAX_LINES ? PAUSE_MS : 0
  }

  /** Lines of unfinished flows depend on who is there: they are derived again when that has changed, also after a restart. */
  async #followManifests(): Promise<number> {
    const { database, tables, clock } = this.#options
    await this.#manifests.refresh({ store: true })
    if (this.#book.staleFlows > MAX_REVISITED) return MANIFESTS_EVERY_MS
    const rows = await database.query<{ flow_id: string; partition: number }>(
      `SELECT flow_id, partition FROM ${tables.flows}
       WHERE NOT complete AND partition = ANY($1::int4[]) AND subscriptions <> $2 LIMIT ${MAX_REVISITED}`,
      [int4s(this.#intake.partitions), this.#manifests.subscriptions.fingerprint],
    )
    const nowMs = clock.steadyMs()
    for (const { flow_id: flowId, partition } of rows) this.#book.revisit({ flowId, partition }, Infinity, nowMs)
    return MANIFESTS_EVERY_MS
  }

  async #forget(): Promise<number> {
    const { retentionMs, clock, database, tables, log } = this.#options
    if (retentionMs === -1) return RETENTION_EVERY_MS
    const forgotten = await forgetBefore(clock.nowMs() - retentionMs, { database, tables, days: this.#days })
    if (forgotten.days > 0) log.info('forgot what was too old', { ...forgotten })
    return RETENTION_EVERY_MS
  }

  async #commit(): Promise<number> {
    await this.#intake.commit()
    return COMMIT_EVERY_MS
  }

  /** Runs a piece of work again and again until the end; a failure is said once, and tried again ever more slowly. */
  async #loop(name: string, work: () => Promise<number>): Promise<void> {
    const { clock, log, onFatal } = this.#options
    const { signal } = this.#stopping
    let pauseMs = PAUSE_MS
    while (!signal.aborted) {
      try {
        const waitMs = await work()
        if (this.#problems.delete(name)) log.info('goes on', { part: name })
        pauseMs = PAUSE_MS
        // Also without a pause others must have their turn.
        await delay(clock, waitMs, signal)
      } catch (error) {
        if (!isLabanError(error) || error.errorClass !== 'retry') return onFatal(error)
        if (!this.#problems.has(name))
          log.warn('stands still; it goes on by itself', { part: name, ...errorFields(error) })
        this.#problems.set(name, error.message)
        await delay(clock, pauseMs, signal)
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      }
    }
  }
}
