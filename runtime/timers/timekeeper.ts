/**
 * The timekeeper of one agent: stands between the member of `<agent>.retry` and who handles its records, keeps the partitions of
 * `<agent>.timers` for itself, and wakes what is due by a record in `<agent>.retry.redrive`. The rule it keeps: a timer ends after its
 * wake-up is acknowledged, and the committed offset is that of the lowest timer that has not ended.
 */
import { agentTopic } from '../../contracts/contract.ts'
import { describeUnknown, isLabanError } from '../../contracts/errors.ts'
import type {
  Appended,
  Assignment,
  Broker,
  BrokerConsumer,
  BrokerRecord,
  ConsumerHandlers,
  OffsetCommit,
  OutgoingRecord,
  RecordBatch,
} from '../ports/broker.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { DueIndex, type DueEntry } from './due-index.ts'
import { readTimer, timerTombstone, wakeRecord } from './timer-record.ts'

export interface TimekeeperOptions {
  readonly agent: string
  readonly broker: Pick<Broker, 'reader'>
  readonly append: (records: readonly OutgoingRecord[]) => Promise<readonly Appended[]>
  readonly clock: Clock
  readonly log: Logger
  readonly commitIntervalMs: number
  /** A record of a newer format: this process must not go on. */
  readonly onBug: (error: unknown) => void
}

/** Woken in one go. */
const MAX_TOGETHER = 500
/** Records that lie closer are read in one go. */
const MAX_GAP = 200
const RETRY_MS = 1_000

interface Held {
  readonly partition: number
  readonly index: DueIndex
  /** Next offset to read. */
  next: number
  committed: number | null
  isDropped: boolean
  isFiring: boolean
  cancel: Cancel
  armedForMs: number
}

/** See the file's head. */
export class Timekeeper implements ConsumerHandlers {
  readonly #options: TimekeeperOptions
  readonly #inner: ConsumerHandlers
  readonly #topic: string
  #held = new Map<number, Held>()
  #broker: BrokerConsumer | undefined
  #cancelTick: Cancel = () => undefined
  #isStopped = false

  constructor(options: TimekeeperOptions, inner: ConsumerHandlers) {
    this.#options = options
    this.#inner = inner
    this.#topic = agentTopic(options.agent, 'timers')
  }

  /** The consumer whose timers it keeps. */
  attach(broker: BrokerConsumer): void {
    this.#broker = broker
    this.#tickLater()
  }

  /** Timers kept here that have not ended. */
  get count(): number {
    let count = 0
    for (const { index } of this.#held.values()) count += index.size
    return count
  }

  onAssigned(assignment: readonly Assignment[]): void | Promise<void> {
    const held = new Map<number, Held>()
    for (const entry of assignment) {
      if (entry.topic !== this.#topic) continue
      const known = entry.kept ? this.#held.get(entry.partition) : undefined
      held.set(entry.partition, known ?? opened(entry))
    }
    for (const [partition, before] of this.#held) if (held.get(partition) !== before) drop(before)
    this.#held = held
    return this.#inner.onAssigned(assignment.filter(({ topic }) => topic !== this.#topic))
  }

  onRebalancing(): readonly OffsetCommit[] {
    return [...this.#inner.onRebalancing(), ...this.#commits()]
  }

  onBatch(batch: RecordBatch): number {
    if (batch.topic !== this.#topic) return this.#inner.onBatch(batch)
    const held = this.#held.get(batch.partition)
    if (held === undefined) return batch.fromOffset
    for (const record of batch.records) {
      const note = record.offset < held.next ? undefined : readTimer(record)
      if (note?.kind === 'set') held.index.add({ dueAtMs: note.dueAtMs, offset: record.offset })
      else if (note?.kind === 'ended') held.index.end(note.offset)
    }
    held.next = Math.max(held.next, batch.lastOffset + 1)
    this.#arm(held)
    return held.next
  }

  onCrash(error: unknown): void {
    this.#end()
    this.#inner.onCrash(error)
  }

  /** Commits, and wakes nothing any more. What was being woken ends by itself: twice is harmless. */
  async stop(): Promise<void> {
    await this.#commit()
    this.#end()
  }

  #end(): void {
    this.#isStopped = true
    this.#cancelTick()
    for (const held of this.#held.values()) drop(held)
    this.#held = new Map()
  }

  /** Also looks for what is due: the machine's clock may have been set, or have slept. */
  #tickLater(): void {
    if (this.#isStopped) return
    this.#cancelTick = this.#options.clock.after(this.#options.commitIntervalMs, () => {
      for (const held of this.#held.values()) if (isDue(held, this.#options.clock.nowMs())) void this.#fire(held)
      void this.#commit().finally(() => this.#tickLater())
    })
  }

  #commits(): readonly OffsetCommit[] {
    return [...this.#held.values()].flatMap((held) => {
      const offset = held.index.lowestOffset ?? held.next
      return offset === held.committed ? [] : [{ topic: this.#topic, partition: held.partition, offset, metadata: '' }]
    })
  }

  async #commit(): Promise<void> {
    const commits = this.#commits()
    if (commits.length === 0 || this.#broker === undefined) return
    try {
      await this.#broker.commit(commits)
      for (const { partition, offset } of commits) {
        const held = this.#held.get(partition)
        if (held !== undefined) held.committed = offset
      }
    } catch (error) {
      this.#options.log.debug('offsets of timers not committed', { problem: describeUnknown(error) })
    }
  }

  #arm(held: Held): void {
    const dueMs = held.index.firstDueMs
    if (dueMs === undefined || held.isFiring || held.isDropped || dueMs === held.armedForMs) return
    held.cancel()
    held.armedForMs = dueMs
    held.cancel = this.#options.clock.after(Math.max(0, dueMs - this.#options.clock.nowMs()), () => {
      held.armedForMs = NaN
      void this.#fire(held)
    })
  }

  async #fire(held: Held): Promise<void> {
    if (held.isFiring || held.isDropped) return
    held.isFiring = true
    const { clock, log } = this.#options
    const due = held.index.takeDue(clock.nowMs(), MAX_TOGETHER)
    let waitMs = 0
    try {
      await this.#wake(held, due)
    } catch (error) {
      held.index.putBack(due)
      waitMs = RETRY_MS
      if (isLabanError(error) && error.errorClass === 'bug') this.#options.onBug(error)
      log.warn('sleeping handlings not woken; they will be', { count: due.length, problem: describeUnknown(error) })
    }
    held.isFiring = false
    if (waitMs === 0) return this.#arm(held)
    held.cancel = clock.after(waitMs, () => this.#arm(held))
  }

  /** Wake-up acknowledged, then tombstone, then ended. A record that is not there was replaced by a later one of its key. */
  async #wake(held: Held, due: readonly DueEntry[]): Promise<void> {
    const { append } = this.#options
    const records = await this.#read(held, due)
    const wakes = records.flatMap(({ value }) => (value === null ? [] : (wakeRecord(value) ?? [])))
    if (wakes.length > 0) await append(wakes)
    const tombstones = records.map((record) => timerTombstone(this.#topic, held.partition, record))
    if (tombstones.length > 0) await append(tombstones)
    for (const { offset } of due) held.index.end(offset)
  }

  async #read({ partition }: Held, due: readonly DueEntry[]): Promise<readonly BrokerRecord[]> {
    const wanted = new Set(due.map(({ offset }) => offset))
    const found: BrokerRecord[] = []
    for (const [fromOffset, last] of stretches([...wanted].sort((a, b) => a - b))) {
      const range = { topic: this.#topic, partition, fromOffset, toOffset: last + 1 }
      for await (const batch of this.#options.broker.reader.read(range))
        for (const record of batch) if (wanted.has(record.offset)) found.push(record)
    }
    return found
  }
}

function opened({ partition, startOffset, committedOffset }: Assignment): Held {
  const index = new DueIndex()
  const cancel = (): void => undefined
  const state = { isDropped: false, isFiring: false, armedForMs: NaN, cancel }
  return { partition, index, next: startOffset, committed: committedOffset, ...state }
}

function drop(held: Held): void {
  held.isDropped = true
  held.cancel()
}

function isDue({ index }: Held, nowMs: number): boolean {
  return (index.firstDueMs ?? Infinity) <= nowMs
}

/** First and last offset of each run of offsets that lie close together. */
function stretches(offsets: readonly number[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = []
  for (const offset of offsets) {
    const last = found.at(-1)
    if (last !== undefined && offset - last[1] <= MAX_GAP) last[1] = offset
    else found.push([offset, offset])
  }
  return found
}
