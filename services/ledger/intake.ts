/**
 * Takes facts off the log in batches. The group shares the partitions among instances; where reading goes on says the ledger, not the
 * group, so that facts and position can never differ.
 */
import { FACTS_TOPIC, isUuid, type Uuid } from '../../contracts/index.ts'
import {
  errorFields,
  type Assignment,
  type Broker,
  type BrokerConsumer,
  type BrokerRecord,
  type Logger,
  type RecordBatch,
} from '../../runtime/internal.ts'
import type { FactReader } from './fact-reader.ts'
import type { FactRow, FactRows } from './fact-rows.ts'
import type { Move } from './positions.ts'

/** A record that waits to be written; copied, because what the consumer hands out is reused. */
interface Waiting {
  readonly offset: number
  readonly atMs: number
  readonly flowId: Uuid
  readonly value: Buffer
}

/** A partition that is ours. */
interface OwnPartition {
  readonly partition: number
  /** Null until the ledger was asked. */
  stored: number | null
  /** Next offset to take. */
  wanted: number
  /** Where the consumer delivers from. What lies before it, when the ledger is behind the group, is read past the consumer. */
  readonly deliveredFrom: number
  /** True once the consumer was asked for `wanted`; what does not begin there then is not on the log any more. */
  isAskedFor: boolean
  waiting: Waiting[]
  isPaused: boolean
  endOffset: number
}

export interface IntakeOptions {
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly rows: FactRows
  readonly reader: FactReader
  readonly log: Logger
  /** Facts of one transaction at most. */
  readonly maxBatchFacts: number
  /** Facts of one partition that may wait before the consumer is paused. */
  readonly maxWaitingFacts: number
  /** Told of a partition that begins to be ours, and of one that ceases to be. */
  readonly onOpened: (partition: number, position: { nextOffset: number; derivedOffset: number }) => Promise<void>
  readonly onLost: (partition: number) => void
}

/** A batch as it is written. */
export interface FactBatch {
  readonly rows: readonly FactRow[]
  readonly moves: readonly Move[]
}

/** See the file's head. */
export class Intake {
  readonly #options: IntakeOptions
  readonly #partitions = new Map<number, OwnPartition>()
  #consumer: BrokerConsumer | undefined
  #unkeyed = 0
  #lost = 0

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  attach(consumer: BrokerConsumer): void {
    this.#consumer = consumer
  }

  get partitions(): readonly number[] {
    return [...this.#partitions.keys()].sort((a, b) => a - b)
  }

  /** Facts that were read and are not written yet. */
  get waitingFacts(): number {
    return [...this.#partitions.values()].reduce((sum, { waiting }) => sum + waiting.length, 0)
  }

  /** Facts of our partitions that were not written when they were last heard of. */
  get lagFacts(): number {
    return [...this.#partitions.values()].reduce((sum, own) => sum + Math.max(0, own.endOffset - (own.stored ?? 0)), 0)
  }

  /** True when the ledger has said of each of our partitions where to go on. */
  get isOpen(): boolean {
    return [...this.#partitions.values()].every(({ stored }) => stored !== null)
  }

  /** Facts that had left the log before they were read. */
  get lostFacts(): number {
    return this.#lost
  }

  /** Time of the oldest fact that was read and is not written yet, epoch ms; undefined when none waits. */
  get oldestWaitingAtMs(): number | undefined {
    const times = [...this.#partitions.values()].flatMap(({ waiting: [first] }) => first?.atMs ?? [])
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Up to where each partition is written. */
  storedOffsets(): Map<number, number> {
    return new Map(
      [...this.#partitions.values()].flatMap((own) => (own.stored === null ? [] : [[own.partition, own.stored]])),
    )
  }

  /** A new generation of the group: a partition that was ours all the time goes on, any other begins with what the ledger says. */
  assign(assignment: readonly Assignment[]): void {
    const kept = new Set(assignment.filter(({ kept }) => kept).map(({ partition }) => partition))
    for (const partition of this.#partitions.keys()) if (!kept.has(partition)) this.#lose(partition)
    for (const { partition, startOffset } of assignment) {
      if (!this.#partitions.has(partition)) this.#partitions.set(partition, newPartition(partition, startOffset))
    }
  }

  /** Registers a batch; the answer is the next offset to fetch. */
  take(batch: RecordBatch): number {
    const own = this.#partitions.get(batch.partition)
    if (own === undefined) return batch.fromOffset
    if (own.stored === null || own.wanted < own.deliveredFrom) {
      this.#pause(own)
      return batch.fromOffset
    }
    own.endOffset = Math.max(own.endOffset, batch.endOffset)
    if (batch.fromOffset !== own.wanted && !own.isAskedFor) {
      own.isAskedFor = true
      return own.wanted
    }
    if (batch.fromOffset > own.wanted) this.#tellLost(own.partition, batch.fromOffset - own.wanted)
    own.isAskedFor = true
    for (const record of batch.records) if (record.offset >= own.wanted) this.#keep(own, record)
    own.wanted = Math.max(own.wanted, batch.lastOffset + 1)
    this.#throttle(own)
    return own.wanted
  }

  /** Asks the ledger where partitions stand that are new here. @throws LABAN_LEDGER_UNAVAILABLE, LABAN_BROKER_UNAVAILABLE */
  async open(): Promise<void> {
    const closed = [...this.#partitions.values()].filter(({ stored }) => stored === null)
    if (closed.length === 0) return
    const { broker, rows, onOpened } = this.#options
    const starts = new Map((await broker.admin.offsets(FACTS_TOPIC)).map((at) => [at.partition, at]))
    for (const own of closed) {
      const { startOffset = 0, endOffset = 0 } = starts.get(own.partition) ?? {}
      const position = await rows.position(own.partition, startOffset)
      await onOpened(own.partition, position)
      if (this.#partitions.get(own.partition) !== own) continue
      own.stored = position.nextOffset
      own.wanted = Math.max(position.nextOffset, startOffset)
      if (startOffset > position.nextOffset) this.#tellLost(own.partition, startOffset - position.nextOffset)
      own.endOffset = endOffset
      own.isAskedFor = false
      this.#throttle(own)
    }
  }

  /**
   * Reads what the consumer will not deliver, because the group has committed more than the ledger holds: the ledger was emptied, or
   * is another one. @throws LABAN_BROKER_UNAVAILABLE
   */
  async readBehind(): Promise<void> {
    for (const own of [...this.#partitions.values()]) {
      if (own.stored === null || own.wanted >= own.deliveredFrom) continue
      const { partition, wanted: fromOffset, deliveredFrom: toOffset } = own
      let isFull = false
      for await (const records of this.#options.broker.reader.read({
        topic: FACTS_TOPIC,
        partition,
        fromOffset,
        toOffset,
      })) {
        for (const record of records) this.#keep(own, record)
        own.wanted = (records.at(-1)?.offset ?? own.wanted) + 1
        isFull = own.waiting.length >= this.#options.maxWaitingFacts
        if (isFull) break
      }
      if (!isFull) own.wanted = toOffset
      this.#throttle(own)
    }
  }

  /** The next batch, a fair share of each partition; undefined when nothing waits. @throws LABAN_FORMAT_TOO_NEW, LABAN_REGISTRY_UNAVAILABLE */
  async next(): Promise<FactBatch | undefined> {
    const ready = [...this.#partitions.values()].filter(
      (own) => own.stored !== null && (own.waiting.length > 0 || own.wanted > own.stored),
    )
    if (ready.length === 0) return undefined
    const share = Math.ceil(this.#options.maxBatchFacts / ready.length)
    const taken = ready.flatMap((own) =>
      own.waiting.slice(0, share).map((record) => ({ ...record, partition: own.partition })),
    )
    const moves = ready.map((own) => ({
      partition: own.partition,
      fromOffset: own.stored ?? 0,
      // All that waits is everything up to what is wanted next, records that are not ours included.
      toOffset: own.waiting[share]?.offset ?? own.wanted,
    }))
    const rows: FactRow[] = []
    for (const record of taken) {
      const fact = this.#options.reader.decode(record)
      rows.push({ ...record, fact: fact instanceof Promise ? await fact : fact })
    }
    return { rows, moves }
  }

  /** The batch is written: its records need not be kept. */
  written({ moves }: FactBatch): void {
    for (const { partition, toOffset } of moves) {
      const own = this.#partitions.get(partition)
      if (own === undefined) continue
      own.stored = toOffset
      const first = own.waiting.findIndex(({ offset }) => offset >= toOffset)
      own.waiting.splice(0, first === -1 ? own.waiting.length : first)
      this.#throttle(own)
    }
  }

  /** Some position is not where this instance thought: all partitions of the batch are asked for again. */
  distrust({ moves }: FactBatch): void {
    for (const { partition } of moves) {
      const own = this.#partitions.get(partition)
      if (own === undefined) continue
      this.#lose(partition)
      // The consumer keeps the partition paused if it was: opening it resumes it.
      this.#partitions.set(partition, {
        ...newPartition(partition, Math.max(own.wanted, own.deliveredFrom)),
        isPaused: own.isPaused,
      })
    }
  }

  /** Partitions that stand before where this instance has written to were emptied by somebody who rebuilds the ledger: they begin anew. */
  async check(): Promise<void> {
    const written = this.storedOffsets()
    const found = await this.#options.rows.positions()
    const moves = [...written]
      .filter(([partition, offset]) => (found.get(partition) ?? -1) < offset)
      .map(([partition, offset]) => ({ partition, fromOffset: offset, toOffset: offset }))
    this.distrust({ rows: [], moves })
  }

  /** Tells the group how far the ledger is, so that Kafka's own tools show its lag. */
  async commit(): Promise<void> {
    const commits = [...this.storedOffsets()].map(([partition, offset]) => ({
      topic: FACTS_TOPIC,
      partition,
      offset,
      metadata: '',
    }))
    if (commits.length === 0) return
    await this.#consumer?.commit(commits).catch((error: unknown) => {
      this.#options.log.debug('offsets not committed', errorFields(error))
    })
  }

  #lose(partition: number): void {
    this.#partitions.delete(partition)
    this.#options.onLost(partition)
  }

  #tellLost(partition: number, lost: number): void {
    this.#lost += lost
    this.#options.log.error('facts have left the log before the ledger read them', { partition, lost })
  }

  #keep(own: OwnPartition, { offset, timestampMs, key, value }: BrokerRecord): void {
    const flowId = key?.toString('utf8') ?? ''
    if (!isUuid(flowId)) {
      // A stranger's record: no flow can ever be asked for it.
      if (this.#unkeyed++ === 0)
        this.#options.log.warn('a record among the facts belongs to no flow', { partition: own.partition, offset })
      return
    }
    own.waiting.push({ offset, atMs: Math.max(0, timestampMs), flowId, value: Buffer.from(value ?? NOTHING) })
  }

  #throttle(own: OwnPartition): void {
    const { maxWaitingFacts } = this.#options
    if (!own.isPaused && own.waiting.length >= maxWaitingFacts) this.#pause(own)
    else if (own.isPaused && own.waiting.length <= maxWaitingFacts / 2) {
      own.isPaused = false
      this.#consumer?.resume([{ topic: FACTS_TOPIC, partition: own.partition }])
    }
  }

  #pause(own: OwnPartition): void {
    if (this.#consumer === undefined) return
    own.isPaused = true
    this.#consumer.pause([{ topic: FACTS_TOPIC, partition: own.partition }])
  }
}

const NOTHING = Buffer.alloc(0)

function newPartition(partition: number, startOffset: number): OwnPartition {
  return {
    partition,
    stored: null,
    wanted: startOffset,
    deliveredFrom: startOffset,
    isAskedFor: false,
    waiting: [],
    isPaused: false,
    endOffset: 0,
  }
}
