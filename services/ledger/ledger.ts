/**
 * The running ledger: a member of the group that reads the facts, and the times at which each piece of work is due. It may be away for
 * as long as the log keeps the facts; nobody waits for it.
 */
import { FACTS_TOPIC, isLabanError, type EventCodec } from '../../contracts/index.ts'
import {
  Announcer,
  delay,
  errorFields,
  type Broker,
  type BrokerConsumer,
  type BrokerProducer,
  type Clock,
  type Health,
  type Logger,
  type MetricSnapshot,
  type SqlDatabase,
} from '../../runtime/internal.ts'
import type { ArchivedTopic } from './archive-rows.ts'
import { LEDGER_AGENT, readLedgerMetrics } from './ledger-figures.ts'
import { ledgerManifest } from './ledger-manifest.ts'
import { LedgerWork, type Progress } from './ledger-work.ts'
import { migrate, type LedgerTables } from './tables.ts'

/** Consumer group of all instances. */
export const LEDGER_GROUP = LEDGER_AGENT

/** How an instance announces itself. */
export interface LedgerIdentity {
  readonly instance: string
  /** Of laban. */
  readonly version: string
  /** Writes manifests. */
  readonly codec: EventCodec
}

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
  /** Topics whose records are kept when they have forgotten them. @default none */
  readonly archive?: readonly ArchivedTopic[]
  /** As whom it announces itself on `laban.agents`. @default it does not */
  readonly identity?: LedgerIdentity
  /** Facts of one transaction at most. @default 5000 */
  readonly maxBatchFacts?: number
  /** How long a flow must be quiet before its line is derived; a busy one after four times as long. @default 500 */
  readonly quietMs?: number
  /** Told when it cannot go on. */
  readonly onFatal: (error: unknown) => void
}

const DEFAULTS = { maxBatchFacts: 5_000, quietMs: 500, archive: [] }
const PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000
const MANIFESTS_EVERY_MS = 1_000
const COMMIT_EVERY_MS = 2_000
const TEND_EVERY_MS = 10_000
/** Topics keep records for hours at least, so this is soon enough. */
const ARCHIVE_EVERY_MS = 1_000
const RETENTION_EVERY_MS = 600_000

/** See the file's head. */
export class Ledger {
  readonly #options: Required<Omit<LedgerOptions, 'identity'>> & Pick<LedgerOptions, 'identity'>
  readonly #work: LedgerWork
  readonly #stopping = new AbortController()
  readonly #problems = new Map<string, string>()
  #state: Health['state'] = 'starting'
  #consumer: BrokerConsumer | undefined
  #announcer: Announcer | undefined
  #producer: BrokerProducer | undefined
  #sending: Promise<unknown> = Promise.resolve()
  #loops: readonly Promise<void>[] = []

  constructor(given: LedgerOptions) {
    this.#options = { ...DEFAULTS, ...given }
    this.#work = new LedgerWork(this.#options)
  }

  /** For `/live` and `/ready`. */
  get health(): Health {
    const problems = [...this.#problems].map(([what, problem]) => `${what}: ${problem}`)
    const isReady = this.#state === 'running' && problems.length === 0
    return { state: this.#state, isReady, problems, warnings: [], agents: [] }
  }

  /** What this instance can tell of itself now, by the table of metrics. */
  metrics(): Promise<MetricSnapshot> {
    const { clock, identity } = this.#options
    const now = { nowMs: clock.nowMs(), isReady: this.health.isReady, version: identity?.version ?? '' }
    return Promise.resolve(readLedgerMetrics(this.#work, now))
  }

  /**
   * Makes or updates the tables, joins the group and begins.
   * @throws LABAN_LEDGER_UNAVAILABLE, LABAN_LEDGER_REFUSED, LABAN_LEDGER_NEWER, LABAN_BROKER_UNAVAILABLE
   */
  async start(): Promise<void> {
    const { broker, database, tables, clock, retentionMs, log } = this.#options
    const { intake } = this.#work
    await migrate(database, tables)
    await this.#work.beginArchive()
    await this.#work.followManifests()
    this.#consumer = await broker.consumer(
      { group: LEDGER_GROUP, topics: [FACTS_TOPIC], startFrom: 'earliest' },
      {
        onAssigned: (assignment) => intake.assign(assignment),
        onRebalancing: () => [],
        onBatch: (batch) => intake.take(batch),
        onCrash: (error) => this.#options.onFatal(error),
      },
    )
    intake.attach(this.#consumer)
    this.#state = 'running'
    await this.#announce()
    this.#loops = [
      // A moment's wait makes one transaction of what trickles in.
      this.#loop('facts', async () => pauseAfter(await this.#work.ingest())),
      this.#loop('flows', async () => pauseAfter(await this.#work.derive())),
      this.#loop('manifests', () => this.#work.followManifests().then(() => MANIFESTS_EVERY_MS)),
      this.#loop('commit', () => intake.commit().then(() => COMMIT_EVERY_MS)),
      this.#loop('indexes', () => this.#work.tend().then(() => TEND_EVERY_MS)),
      this.#loop('archive', async () => ((await this.#work.archive()) === 'more' ? 0 : ARCHIVE_EVERY_MS)),
      this.#loop('retention', async () => {
        await this.#work.forgetArchived()
        if (retentionMs === -1) return RETENTION_EVERY_MS
        const forgotten = await this.#work.forgetBefore(clock.nowMs() - retentionMs)
        if (forgotten.days > 0) log.info('forgot what was too old', { ...forgotten })
        return RETENTION_EVERY_MS
      }),
    ]
  }

  /** Resolves when all facts that it knows of are stored and every line is up to date, or when it is stopped. */
  async untilCaughtUp(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    const { intake } = this.#work
    const isBehind = (): boolean =>
      intake.partitions.length === 0 || !intake.isOpen || intake.lagFacts + this.#work.staleFlows > 0
    while (!signal.aborted && isBehind()) await delay(clock, PAUSE_MS, signal)
  }

  /** Ends what is under way and leaves the group; whoever takes over goes on from there. Twice is harmless. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'draining'
    this.#stopping.abort()
    await Promise.all(this.#loops)
    await this.#work.intake.commit()
    await this.#consumer?.stop()
    await this.#announcer?.stop()
    await this.#producer?.close()
    this.#state = 'stopped'
  }

  /** Nobody waits for the ledger, so nothing depends on this. */
  async #announce(): Promise<void> {
    const { identity, broker, clock, log } = this.#options
    if (identity === undefined) return
    const producer = await broker.producer()
    this.#producer = producer
    const startedAtMs = clock.nowMs()
    this.#announcer = new Announcer({
      ...{ codec: identity.codec, clock, log },
      manifests: (state) => [
        ledgerManifest({ ...identity, state, startedAtMs, seenAtMs: clock.nowMs(), problems: this.#problems }),
      ],
      circumstances: () => [...this.#problems.keys()].join(),
      // The port allows one send at a time; turns of one announcer do not overlap, but its last word may come during one.
      append: (records) => (this.#sending = this.#sending.catch(() => undefined).then(() => producer.send(records))),
    })
    await this.#announcer.start()
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
        this.#work.figures.retried(name)
        await delay(clock, pauseMs, signal)
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      }
    }
  }
}

function pauseAfter(progress: Progress): number {
  return progress === 'more' ? 0 : PAUSE_MS
}
