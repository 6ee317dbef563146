/** State of one assigned partition: what is open, in which lanes, and what may be committed. Dropped as a whole when the partition is lost. */
import type { BrokerRecord, OffsetCommit, RecordBatch, TopicPartition } from '../ports/broker.ts'
import { encodeOffsetMap, MAX_METADATA_BYTES, type OffsetRanges } from './offset-map.ts'
import { OffsetTracker, SPAN_STOPS_ACCEPTING } from './offset-tracker.ts'
import { openBytesOf, Task, type Lane } from './task.ts'

const MAP_STOPS_ACCEPTING_BYTES = MAX_METADATA_BYTES * 0.75

/** A partition that is held, as figures. */
export interface PartitionFigures extends TopicPartition {
  /** Highest registered offset + 1. */
  readonly nextOffset: number
  /** End of the partition as of the last batch, undefined before the first: while nothing is fetched it grows unseen. */
  readonly endOffset: number | undefined
  /** Registered and unfinished records. */
  readonly open: number
  /** The one with the lowest offset. */
  readonly oldest: Task | undefined
  readonly isPaused: boolean
  readonly limit: 'map' | 'span' | undefined
}

/** One generation's hold on a partition. */
export class PartitionState implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly tracker: OffsetTracker
  /** Registered and not finished. */
  readonly open = new Set<Task>()
  openBytes = 0
  /** Lanes with a task that may start, in the order in which they became ready. */
  readonly ready: Lane[] = []
  /** Lost: its tasks finish nothing any more. */
  dropped = false
  paused = false
  /** Paused ever since the last look. */
  isTight = false
  /** The map of finished offsets nears the broker's limit: accept nothing new until the pinning record finishes. */
  mapIsFull = false
  /** Since when `tracker.base` has stood where it stands; 0 before the first look. */
  standsSinceMs = 0
  #endOffset: number | undefined
  #lastBase = -1
  /** The base above which a gap was too wide to look across. */
  #tooWideFrom = -1
  readonly #lanes = new Map<string, Lane>()
  readonly #perKey: boolean
  #committed: { readonly offset: number; readonly metadata: string } | undefined

  constructor(at: TopicPartition, base: number, restored: OffsetRanges, options: { perKey: boolean }) {
    this.topic = at.topic
    this.partition = at.partition
    this.tracker = new OffsetTracker(base, restored)
    this.#perKey = options.perKey
  }

  /** Why nothing new is taken besides a lack of room; undefined when it is. */
  get limit(): 'map' | 'span' | undefined {
    if (this.mapIsFull) return 'map'
    const isTooWide = this.#tooWideFrom === this.tracker.base && this.open.size > 0
    return isTooWide || this.tracker.span >= SPAN_STOPS_ACCEPTING ? 'span' : undefined
  }

  /** The unfinished record with the lowest offset. */
  get oldest(): Task | undefined {
    const [task] = this.open
    return task
  }

  get figures(): PartitionFigures {
    return {
      ...{ topic: this.topic, partition: this.partition },
      ...{ nextOffset: this.tracker.next, endOffset: this.#endOffset },
      ...{ open: this.open.size, oldest: this.oldest },
      ...{ isPaused: this.paused, limit: this.limit },
    }
  }

  /** Notices when the offset to commit moves; called once per commit interval. */
  look(nowMs: number): void {
    const { base } = this.tracker
    if (base === this.#lastBase && this.open.size > 0) return
    this.#lastBase = base
    this.standsSinceMs = nowMs
  }

  /** Registers the records that fit below `mayAccept`; returns the next offset to fetch. */
  register(batch: RecordBatch, mayAccept: (bytes: number) => boolean): number {
    this.#endOffset = batch.endOffset
    let expected = Math.max(batch.fromOffset, this.tracker.base)
    const { records, lastOffset } = batch
    if (records.length === 0 && !this.#reaches(lastOffset)) return batch.fromOffset
    for (const [index, record] of records.entries()) {
      // What follows the last record cannot be asked for without it.
      if (!this.#reaches(index === records.length - 1 ? lastOffset : record.offset)) return expected
      // Before a refusal too: the next batch begins at the refused record and does not show the gap again.
      if (record.offset > expected) this.tracker.skip(expected, record.offset)
      if (!mayAccept(openBytesOf(record))) return record.offset
      if (this.tracker.register(record.offset)) this.#enqueue(record)
      expected = Math.max(expected, record.offset + 1)
    }
    this.tracker.skip(expected, lastOffset + 1)
    return Math.max(expected, lastOffset + 1)
  }

  /** Offsets below this one will never come. False: not now, an unfinished record is too far behind. */
  pass(offset: number): boolean {
    if (!this.#reaches(offset)) return false
    this.tracker.skip(this.tracker.next, offset)
    return true
  }

  #reaches(offset: number): boolean {
    if (this.tracker.canReach(offset)) return true
    this.#tooWideFrom = this.tracker.base
    return false
  }

  /** The lane is free again: its next task may start, or the lane ends. */
  release(lane: Lane): void {
    lane.running = false
    if (lane.queue.length > 0) this.ready.push(lane)
    else if (this.#lanes.get(lane.key) === lane) this.#lanes.delete(lane.key)
  }

  /** The input is finished: its offset may be committed once all below it are. */
  finish(task: Task): void {
    if (this.dropped || !this.open.delete(task)) return
    this.openBytes -= task.bytes
    this.tracker.finish(task.offset)
    if (this.open.size === 0) this.mapIsFull = false
  }

  /** Whether this record has not begun. */
  isQueued(task: Task): boolean {
    return this.#lanes.get(this.#laneKey(task))?.queue.includes(task) === true
  }

  /** Records of the same key that wait for this one. */
  queuedBehind(task: Task): number {
    return this.#lanes.get(this.#laneKey(task))?.queue.filter((other) => other !== task).length ?? 0
  }

  /** What to commit, or undefined when nothing has changed since the last commit. */
  pendingCommit(): OffsetCommit | undefined {
    const offset = this.tracker.base
    const metadata = this.tracker.hasFinishedAbove ? encodeOffsetMap(this.tracker.runs(MAX_METADATA_BYTES)) : ''
    this.mapIsFull = metadata.length > MAP_STOPS_ACCEPTING_BYTES
    if (this.#committed?.offset === offset && this.#committed.metadata === metadata) return undefined
    return { topic: this.topic, partition: this.partition, offset, metadata }
  }

  /** Remembers a commit that the broker has acknowledged. */
  committed(commit: { readonly offset: number; readonly metadata: string }): void {
    this.#committed = commit
  }

  #enqueue(record: BrokerRecord): void {
    const task = new Task(this, record)
    this.open.add(task)
    this.openBytes += task.bytes
    const key = this.#laneKey(task)
    const lane = this.#lanes.get(key)
    if (lane !== undefined) {
      lane.queue.push(task)
      return
    }
    const fresh: Lane = { key, queue: [task], running: false }
    this.#lanes.set(key, fresh)
    this.ready.push(fresh)
  }

  /** Records without a key have no order to keep: each gets a lane of its own. */
  #laneKey(task: Task): string {
    return this.#perKey && task.laneKey !== null ? task.laneKey : `@${task.offset}`
  }
}
