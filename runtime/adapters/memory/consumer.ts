/**
 * One member of a consumer group of the memory broker. It delivers a partition only between the settled `onAssigned` of a
 * generation and the next rebalance, from where the last answer of `onBatch` said.
 */
import type {
  Assignment,
  BrokerConsumer,
  ConsumerHandlers,
  ConsumerOptions,
  OffsetCommit,
  TopicPartition,
} from '../../ports/broker.ts'
import type { Cancel } from '../../ports/clock.ts'
import type { ConnectionState } from './connection-state.ts'
import { Cursor, positionName } from './cursor.ts'
import type { Group, GroupMember } from './groups.ts'
import { refused, unavailable } from './refusals.ts'

const LIMIT = { maxRecords: 512, maxBytes: 1_048_576 }
const DEFAULT_SESSION_TIMEOUT_MS = 10_000
const DEFAULT_HEARTBEAT_INTERVAL_MS = 1_000
const DEFAULT_MAX_WAIT_MS = 250

/** A consumer on a connection; it joins its group as soon as the clock turns, and rejoins by itself. */
export class MemoryConsumer implements BrokerConsumer, GroupMember {
  readonly topics: ReadonlySet<string>
  readonly #connection: ConnectionState
  readonly #options: ConsumerOptions
  readonly #handlers: ConsumerHandlers
  readonly #group: Group
  readonly #timers = new Set<Cancel>()
  #id: string
  #generation = 0
  #cursors = new Map<string, Cursor>()
  #turn = 0
  #isDelivering = false
  #isScheduled = false
  #isStopped = false
  /** A heartbeat is about to tell; then it joins anew, once. */
  #isExpelled = false
  #assigning: Promise<void> = Promise.resolve()
  /** What fell due while the process stood still. */
  #due: (() => void)[] = []

  /** @throws LABAN_BROKER_REFUSED when a topic does not exist */
  constructor(connection: ConnectionState, options: ConsumerOptions, handlers: ConsumerHandlers) {
    this.#connection = connection
    this.#options = options
    this.#handlers = handlers
    for (const topic of options.topics) connection.cluster.topic(topic, 'subscribe')
    this.topics = new Set(options.topics)
    this.#group = connection.cluster.group(options.group)
    this.#id = connection.cluster.nextMemberId()
    // Joining is never synchronous: the owner has this consumer in hand before the first assignment.
    this.#later(0, () => this.#group.join(this))
  }

  get id(): string {
    return this.#id
  }

  get isResponsive(): boolean {
    return !this.#connection.isCrashed && !this.#connection.isStalled
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const cursor of this.#held(partitions)) cursor.isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const cursor of this.#held(partitions)) cursor.resume()
    this.#wake()
  }

  commit(commits: readonly OffsetCommit[]): Promise<void> {
    return this.#connection.call(() => {
      const foreign = commits.find((commit) => !this.#cursors.has(positionName(commit)))
      if (this.#isStopped) throw refused('commit', this.#options.group, 'the consumer has stopped')
      if (foreign !== undefined) {
        throw refused('commit', foreign.topic, `partition ${foreign.partition} belongs to another member now`)
      }
      const fault = this.#connection.cluster.faults.onCommit?.(this.#options.group, commits)
      if (fault === 'unavailable') throw unavailable('the broker does not answer')
      this.#group.commit(this.#id, commits)
      if (fault === 'lost-ack') throw unavailable('the answer was lost')
    })
  }

  stop(): Promise<void> {
    if (this.#connection.isCrashed) return new Promise(() => undefined)
    this.#end()
    this.#group.remove(this.#id)
    return Promise.resolve()
  }

  /** The process is gone: nothing is called any more, and the group learns of it when the session times out. */
  crash(): void {
    if (this.#isStopped) return
    this.#end()
    const sessionTimeoutMs = this.#options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS
    this.#connection.cluster.clock.after(sessionTimeoutMs, () => this.#group.remove(this.#id))
  }

  /** The process stands still: after its session time-out the group goes on without it. */
  stall(): void {
    const { clock } = this.#connection.cluster
    const { sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS } = this.#options
    const id = this.#id
    const sinceMs = clock.nowMs()
    this.#stalledAtMs = sinceMs
    clock.after(sessionTimeoutMs, () => {
      if (this.#connection.isStalled && this.#stalledAtMs === sinceMs) this.#group.remove(id)
    })
  }

  #stalledAtMs = 0

  /** The process goes on as if nothing had happened, until its group tells it. */
  wake(): void {
    if (this.#isStopped) return
    for (const action of this.#due.splice(0)) action()
    if (this.#generation > 0 && !this.#group.has(this.#id)) this.noticeExpulsion()
    else this.#group.returned(this)
    this.#wake()
  }

  /** The group has expelled this member; it goes on delivering until a heartbeat tells it, and then joins anew. */
  noticeExpulsion(): void {
    if (this.#isExpelled) return
    this.#isExpelled = true
    this.#later(this.#options.heartbeatIntervalMs ?? DEFAULT_HEARTBEAT_INTERVAL_MS, () => {
      this.#isDelivering = false
      this.#isExpelled = false
      this.#id = this.#connection.cluster.nextMemberId()
      this.#group.join(this)
    })
  }

  held(): readonly TopicPartition[] {
    return [...this.#cursors.values()].map(({ log }) => log)
  }

  rejoin(): readonly OffsetCommit[] {
    this.#isDelivering = false
    return this.#handlers.onRebalancing()
  }

  assign(generation: number, partitions: readonly TopicPartition[]): void {
    if (this.#isStopped) return
    const before = generation === this.#generation + 1 ? this.#cursors : new Map<string, Cursor>()
    this.#generation = generation
    this.#isDelivering = false
    const cursors = partitions.map((position) => this.#cursor(position, before.get(positionName(position))))
    for (const cursor of this.#cursors.values()) cursor.close()
    this.#cursors = new Map(cursors.map((cursor) => [positionName(cursor.log), cursor]))
    const assignment = cursors.map((cursor) => this.#describe(cursor, before.has(positionName(cursor.log))))
    this.#assigning = this.#assigning.then(() => this.#tell(generation, assignment))
  }

  async #tell(generation: number, assignment: readonly Assignment[]): Promise<void> {
    if (this.#isStopped) return
    try {
      await this.#handlers.onAssigned(assignment)
    } catch (error) {
      return this.#fail(error)
    }
    // A rebalance may have begun meanwhile: then its own assignment opens delivery.
    if (generation !== this.#generation || this.#group.state !== 'Stable' || this.#isStopped) return
    this.#isDelivering = true
    this.#wake()
  }

  #cursor(position: TopicPartition, kept: Cursor | undefined): Cursor {
    const { cluster } = this.#connection
    const log = cluster.partition(position, 'fetch')
    const offset = kept?.offset ?? this.#group.committed(position)?.offset ?? this.#firstOffset(log)
    const cursor = new Cursor(log, offset, () => this.#wake())
    cursor.isPaused = kept?.isPaused ?? false
    return cursor
  }

  #firstOffset(log: Cursor['log']): number {
    const { startFrom } = this.#options
    if (startFrom === 'earliest' || this.#group.isAdded(log)) return log.startOffset
    return startFrom === 'latest' ? log.endOffset : log.offsetAt(startFrom.atMs)
  }

  #describe(cursor: Cursor, kept: boolean): Assignment {
    const { topic, partition } = cursor.log
    const committed = this.#group.committed(cursor.log)
    return {
      topic,
      partition,
      committedOffset: committed?.offset ?? null,
      metadata: committed?.metadata ?? '',
      startOffset: cursor.offset,
      kept,
      ...(!kept && this.#group.isAdded(cursor.log) ? { added: true } : {}),
    }
  }

  #wake(): void {
    if (this.#isScheduled || !this.#isDelivering) return
    this.#isScheduled = true
    this.#connection.cluster.turns.schedule(() => {
      this.#isScheduled = false
      return this.#deliver()
    })
  }

  /** Delivers one batch of the next partition that has one, and comes back for more. */
  #deliver(): number {
    if (!this.#isDelivering || this.#isStopped || this.#connection.isStalled) return 0
    const maxWaitMs = this.#options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS
    if (this.#connection.cluster.isUnavailable()) {
      this.#later(maxWaitMs, () => this.#wake())
      return 0
    }
    const cursor = this.#next()
    if (cursor === undefined) return 0
    const batch = cursor.read(LIMIT)
    try {
      const nextOffset = this.#handlers.onBatch(batch)
      // Nothing accepted, not paused either: it is offered again after a pause instead of spinning.
      if (nextOffset <= batch.fromOffset && !cursor.isPaused) {
        cursor.isResting = true
        this.#later(maxWaitMs, () => {
          cursor.isResting = false
          this.#wake()
        })
      }
      cursor.offset = nextOffset
    } catch (error) {
      this.#fail(error)
      return batch.records.length
    }
    this.#wake()
    return batch.records.length
  }

  /** Round robin, so that a busy partition cannot starve the others. */
  #next(): Cursor | undefined {
    const cursors = [...this.#cursors.values()]
    for (let step = 0; step < cursors.length; step += 1) {
      this.#turn = (this.#turn + 1) % cursors.length
      const cursor = cursors[this.#turn]
      if (cursor?.hasRecords === true) return cursor
    }
    return undefined
  }

  #held(partitions: readonly TopicPartition[]): readonly Cursor[] {
    return partitions.flatMap((position) => this.#cursors.get(positionName(position)) ?? [])
  }

  #later(delayMs: number, action: () => void): void {
    const cancel = this.#connection.cluster.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      if (this.#isStopped) return
      if (this.#connection.isStalled) this.#due.push(action)
      else action()
    })
    this.#timers.add(cancel)
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    this.#end()
    this.#group.remove(this.#id)
    this.#handlers.onCrash(error)
  }

  #end(): void {
    this.#isStopped = true
    this.#isDelivering = false
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    for (const cursor of this.#cursors.values()) cursor.close()
  }
}
