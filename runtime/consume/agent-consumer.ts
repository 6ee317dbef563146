/**
 * One agent's member of its consumer group: registers records at once, runs lanes concurrently, commits only what is finished.
 * The rule it keeps: handlers never hold up the fetch loop, so membership does not depend on how long they take.
 */
import { describeUnknown, LabanError } from '../../contracts/errors.ts'
import type {
  Assignment,
  BrokerConsumer,
  ConsumerHandlers,
  OffsetCommit,
  RecordBatch,
  TopicPartition,
} from '../ports/broker.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { decodeOffsetMap, emptyRanges, OFFSET_MAP_FORMAT } from './offset-map.ts'
import { MAX_SPAN } from './offset-tracker.ts'
import { PartitionState, type PartitionFigures } from './partition.ts'
import { StandstillLog, standstillOf, type Standstill } from './standstill.ts'
import { openCountOf, Room } from './room.ts'
import type { Lane, Task } from './task.ts'

export interface AgentConsumerOptions {
  readonly order: 'key' | 'none'
  readonly onRevoke: 'finish' | 'abort'
  /** Lanes that run at once. */
  readonly maxInFlight: number
  /** Registered and unfinished records, running or queued. */
  readonly maxOpen: number
  readonly maxOpenBytes: number
  /** Open records that wait for their handlers; call `makeRoom` when there are more. @default none */
  readonly waitingCount?: () => number
  readonly commitIntervalMs: number
  readonly clock: Clock
  readonly log: Logger
  /** Treats records that start together. `free` is called once for each, when its lane may go on. It must not throw. */
  readonly run: (tasks: readonly Task[], free: (task: Task) => void) => void
  /** Records in [from, to) are gone from the log before they were handled. */
  readonly onLost: (at: TopicPartition, from: number, to: number) => void
  readonly onCrash: (error: unknown) => void
  /** A partition is not held any more. */
  readonly onGivenUp?: (home: TopicPartition) => void
}

/** See the file's head. `attach` the port's consumer once it exists. */
export class AgentConsumer implements ConsumerHandlers {
  readonly #options: AgentConsumerOptions
  readonly #partitions = new Map<string, PartitionState>()
  /** Tasks whose lane is running, those of dropped partitions included. */
  readonly #running = new Map<Task, Lane>()
  readonly #subscribedFrom = new Map<string, number>()
  readonly #standstillLog: StandstillLog
  readonly #room: Room
  #order: PartitionState[] = []
  #turn = 0
  #pausedCount = 0
  #laneLimit = Number.POSITIVE_INFINITY
  #frozen = true
  #isPumping = false
  #isBalancing = false
  #draining = false
  #stopped = false
  #broker: BrokerConsumer | undefined
  #cancelCommit: Cancel | undefined
  #idle: (() => void) | undefined

  constructor(options: AgentConsumerOptions) {
    this.#options = options
    this.#standstillLog = new StandstillLog(options.log)
    this.#room = new Room(options)
  }

  attach(broker: BrokerConsumer): void {
    this.#broker = broker
    broker.pause(this.#order.filter((state) => state.paused))
    this.#scheduleCommit()
  }

  /** Handlings whose lane is occupied now. */
  get runningCount(): number {
    return this.#running.size
  }

  /** Registered and unfinished records. */
  get openCount(): number {
    return openCountOf(this.#order)
  }

  /** `topic/partition` to the offset at which this member first began to read it. */
  get subscribedFrom(): ReadonlyMap<string, number> {
    return this.#subscribedFrom
  }

  /** Partitions held now, with the offset each would commit. */
  get positions(): readonly (TopicPartition & { readonly offset: number })[] {
    return this.#order.map((state) => ({ topic: state.topic, partition: state.partition, offset: state.tracker.base }))
  }

  /** The same partitions, to be measured. */
  get figures(): readonly PartitionFigures[] {
    return this.#order.map((state) => state.figures)
  }

  /** So many lanes may run at once, where that is fewer than `maxInFlight`; 0 starts none. What runs goes on. */
  limitLanes(lanes: number): void {
    this.#laneLimit = lanes
    this.#pumpSoon()
  }

  /** True when this record keeps so many finished ones behind it from being committed that it should leave its lane. */
  isPinning(task: Task): boolean {
    const state = this.#stateOf(task)
    if (state === undefined || task.offset !== state.tracker.base) return false
    return state.mapIsFull || state.tracker.span >= PINNED_SPAN
  }

  /** Partitions whose offset to commit has stood still for some time, with the record that holds it. */
  get standstills(): readonly Standstill[] {
    return [...this.#standing().values()]
  }

  onAssigned(assignment: readonly Assignment[]): void {
    try {
      this.#take(assignment)
    } catch (error) {
      // Nothing is taken over: neither records nor commits of these partitions are touched.
      this.onCrash(error)
    }
  }

  #take(assignment: readonly Assignment[]): void {
    const held = new Map(this.#partitions)
    this.#partitions.clear()
    for (const entry of assignment) {
      const id = `${entry.topic}/${entry.partition}`
      const known = held.get(id)
      held.delete(id)
      if (known !== undefined && entry.kept) this.#partitions.set(id, known)
      else {
        if (known !== undefined) this.#drop(known)
        this.#partitions.set(id, this.#open(entry))
      }
    }
    for (const lost of held.values()) this.#drop(lost)
    this.#order = [...this.#partitions.values()]
    this.#pausedCount = this.#order.filter((state) => state.paused).length
    this.#frozen = this.#draining
    if (this.#draining) for (const state of this.#order) state.paused = true
    this.#broker?.pause(this.#order.filter((state) => state.paused))
    this.#broker?.resume(this.#order.filter((state) => !state.paused))
    this.#balance()
    this.#pump()
  }

  onRebalancing(): readonly OffsetCommit[] {
    this.#frozen = true
    return this.#pendingCommits()
  }

  onBatch(batch: RecordBatch): number {
    const state = this.#partitions.get(`${batch.topic}/${batch.partition}`)
    if (state === undefined || this.#draining) return batch.fromOffset
    const { next: expected } = state.tracker
    // The log's start has overtaken the reader: what lies between is gone, and must not hold commits for ever.
    if (batch.fromOffset > expected && state.pass(batch.fromOffset))
      this.#options.onLost(batch, expected, batch.fromOffset)
    const next = state.register(batch, this.#room.for(state, this.#order))
    // Refused records would be fetched again and again; without room for any, the next fetch is for nothing.
    if (next <= batch.lastOffset || !this.#room.for(state, this.#order)(0)) this.#pause(state)
    this.#pump()
    return next
  }

  onCrash(error: unknown): void {
    this.#end()
    this.#options.onCrash(error)
  }

  /** The task's input is finished; called by the service when everything that follows from it is acknowledged. */
  finish(task: Task): void {
    task.home.finish(task)
    this.makeRoom()
  }

  /** More records may fit now. */
  makeRoom(): void {
    if (this.#pausedCount > 0) this.#balanceSoon()
  }

  /** Records that finish in one turn make room together. */
  #balanceSoon(): void {
    if (this.#isBalancing) return
    this.#isBalancing = true
    queueMicrotask(() => {
      this.#isBalancing = false
      this.#balance()
    })
  }

  /**
   * Starts nothing new and waits for what runs, at most `timeoutMs`; then aborts it. Long handlers do not keep their partitions from
   * others meanwhile: where `mayLeave` says so, the group is left early, and who gets their records waits for these handlers.
   */
  async drain(timeoutMs: number, mayLeave?: () => Promise<boolean>): Promise<void> {
    this.#draining = true
    this.#frozen = true
    this.#broker?.pause(this.#order)
    const atOnceMs = Math.min(timeoutMs, LEAVE_AFTER_MS)
    if (await this.#untilIdle(atOnceMs)) return
    if (mayLeave !== undefined && this.#options.onRevoke === 'finish' && (await mayLeave())) await this.stop()
    if (!(await this.#untilIdle(timeoutMs - atOnceMs))) {
      for (const task of this.#running.keys()) task.cancellation.cancel('shutdown')
      await this.#untilIdle(DRAIN_ABORT_GRACE_MS)
    }
  }

  /** Commits what is finished and leaves the group. */
  async stop(): Promise<void> {
    this.#draining = true
    this.#stopped = true
    this.#cancelCommit?.()
    await this.commit()
    await this.#broker?.stop()
    this.#end()
  }

  /** Commits every partition that has something to commit. A failure is repeated at the next interval. */
  async commit(): Promise<void> {
    const commits = this.#pendingCommits()
    if (commits.length === 0 || this.#broker === undefined) return
    try {
      await this.#broker.commit(commits)
      for (const commit of commits) this.#partitions.get(`${commit.topic}/${commit.partition}`)?.committed(commit)
    } catch (error) {
      this.#options.log.warn('commit refused; the next one carries it', { problem: describeUnknown(error) })
    }
  }

  #scheduleCommit(): void {
    this.#cancelCommit = this.#options.clock.after(this.#options.commitIntervalMs, () => {
      this.#look()
      void this.commit().finally(() => {
        if (!this.#stopped) this.#scheduleCommit()
      })
    })
  }

  #look(): void {
    const nowMs = this.#options.clock.steadyMs()
    for (const state of this.#order) state.look(nowMs)
    this.#room.look(this.#order.some((state) => state.isTight))
    for (const state of this.#order) state.isTight = state.paused
    this.#standstillLog.look(this.#standing())
  }

  #standing(): Map<PartitionState, Standstill> {
    const context = { nowMs: this.#options.clock.steadyMs(), isRunning: (task: Task) => this.#running.has(task) }
    const standing = new Map<PartitionState, Standstill>()
    for (const state of this.#order) {
      const at = standstillOf(state, context)
      if (at !== undefined) standing.set(state, at)
    }
    return standing
  }

  #pendingCommits(): OffsetCommit[] {
    const commits = this.#order.flatMap((state) => state.pendingCommit() ?? [])
    // A map that was full may fit again.
    this.#balance()
    return commits
  }

  /** Lets go of everything. What still runs ends by itself and finishes nothing here. */
  #end(): void {
    this.#frozen = true
    this.#draining = true
    this.#stopped = true
    this.#cancelCommit?.()
    for (const state of this.#order) this.#drop(state)
    this.#order = []
    this.#partitions.clear()
    this.#pausedCount = 0
  }

  #open(entry: Assignment): PartitionState {
    const committed = entry.committedOffset ?? entry.startOffset
    if (committed < entry.startOffset) this.#options.onLost(entry, committed, entry.startOffset)
    const base = entry.startOffset
    // Below the start of the log the map says nothing; somebody who set the offset back wants records again.
    const restored = committed <= base ? decodeOffsetMap(entry.metadata, committed) : emptyRanges
    if (restored === undefined) {
      const what = `commit metadata of ${entry.topic}/${entry.partition}`
      throw new LabanError('LABAN_FORMAT_TOO_NEW', {
        what,
        found: entry.metadata.slice(0, 2),
        known: OFFSET_MAP_FORMAT,
      })
    }
    const state = new PartitionState(entry, base, restored, { perKey: this.#options.order === 'key' })
    if (entry.committedOffset !== null) state.committed({ offset: entry.committedOffset, metadata: entry.metadata })
    if (entry.added === true && this.#options.order === 'key') {
      const at = { topic: entry.topic, partition: entry.partition }
      this.#options.log.warn('a partition was added: events of keys that moved to it may be out of order once', at)
    }
    const place = `${entry.topic}/${entry.partition}`
    if (!this.#subscribedFrom.has(place)) this.#subscribedFrom.set(place, base)
    return state
  }

  #drop(state: PartitionState): void {
    state.dropped = true
    state.ready.length = 0
    this.#options.onGivenUp?.(state)
    if (this.#options.onRevoke !== 'abort') return
    for (const task of this.#running.keys()) if (task.home === state) task.cancellation.cancel('revoked')
  }

  #pause(state: PartitionState): void {
    if (state.paused) return
    state.paused = true
    this.#pausedCount++
    this.#broker?.pause([state])
  }

  /** Resumes paused partitions once half the room is free: answers to a paused partition's fetch are thrown away, so rarely. */
  #balance(): void {
    if (this.#pausedCount === 0 || this.#draining) return
    for (const state of this.#room.paused(this.#order)) {
      state.paused = false
      state.isTight = false
      this.#pausedCount--
      this.#broker?.resume([state])
    }
  }

  /** Starts lanes, one per partition in turn, while there is room. */
  #pump(): void {
    if (this.#frozen) return
    const started: Task[] = []
    const maxInFlight = Math.min(this.#options.maxInFlight, this.#laneLimit)
    let idlePartitions = 0
    while (this.#running.size < maxInFlight && idlePartitions < this.#order.length) {
      const state = this.#order[this.#turn++ % this.#order.length]
      const lane = state?.ready.shift()
      const task = lane?.queue.shift()
      if (lane === undefined || task === undefined) {
        idlePartitions++
        continue
      }
      idlePartitions = 0
      lane.running = true
      this.#running.set(task, lane)
      started.push(task)
    }
    if (started.length > 0) this.#options.run(started, this.#free)
  }

  readonly #free = (task: Task): void => {
    const lane = this.#running.get(task)
    if (lane === undefined || !this.#running.delete(task)) return
    this.#stateOf(task)?.release(lane)
    if (this.#running.size === 0) this.#idle?.()
    this.#pumpSoon()
  }

  /** Lanes that get free in one turn go on together. */
  #pumpSoon(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    queueMicrotask(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  /** The state that a task was registered in, while it is held. */
  #stateOf(task: Task): PartitionState | undefined {
    const state = this.#partitions.get(`${task.topic}/${task.partition}`)
    return state === task.home ? state : undefined
  }

  #untilIdle(timeoutMs: number): Promise<boolean> {
    if (this.#running.size === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (isIdle: boolean): void => {
        cancel()
        this.#idle = undefined
        resolve(isIdle)
      }
      const cancel = this.#options.clock.after(timeoutMs, () => settle(false))
      this.#idle = () => settle(true)
    })
  }
}

/** Three quarters of what may lie between the lowest unfinished record and the highest registered one. */
const PINNED_SPAN = (MAX_SPAN / 2) * 0.75
/** Handlers that end sooner are committed as usual; all others have a claim by then. */
const LEAVE_AFTER_MS = 1_000
const DRAIN_ABORT_GRACE_MS = 5_000
