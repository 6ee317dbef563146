/**
 * Plays the broker to an AgentConsumer: partitions with records, fetch positions, pauses, generations and stored commits, driven
 * step by step in any order; and judges what the consumer does, from the outside.
 */
import { expect } from 'vitest'
import { AgentConsumer, type AgentConsumerOptions } from '../../../../runtime/consume/agent-consumer.ts'
import { decodeOffsetMap } from '../../../../runtime/consume/offset-map.ts'
import type { Task } from '../../../../runtime/consume/task.ts'
import type { BrokerConsumer, BrokerRecord, OffsetCommit, TopicPartition } from '../../../../runtime/ports/broker.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'

/** A partition of the log and what the group knows of it. */
interface Place extends TopicPartition {
  readonly records: readonly BrokerRecord[]
  readonly end: number
  position: number
  isAssigned: boolean
  isPaused: boolean
  committed: { offset: number; metadata: string } | undefined
  /** Offsets that ended in any generation. */
  readonly finished: Set<number>
  /** Offsets run since the partition was last taken anew. */
  ran: number[]
  /** Offsets that the commit it was taken with says are finished. */
  restored: (offset: number) => boolean
}

export interface Limits {
  readonly onRevoke: 'finish' | 'abort'
  readonly order: 'key' | 'none'
  readonly maxInFlight: number
  readonly maxOpen: number
  readonly maxOpenBytes: number
}

interface Running {
  readonly task: Task
  readonly place: Place
  readonly end: () => void
  isFinished: boolean
  hasEnded: boolean
}

const never = { ...systemClock, after: () => () => undefined }

export class BrokerDriver implements BrokerConsumer {
  readonly consumer: AgentConsumer
  readonly places: readonly Place[]
  readonly #limits: Limits
  #running: Running[] = []
  #isDelivering = false

  constructor(partitions: readonly (readonly { gap: number; key: number; bytes: number }[])[], limits: Limits) {
    this.#limits = limits
    this.places = partitions.map(makePlace)
    const options: AgentConsumerOptions = {
      ...limits,
      commitIntervalMs: 1_000,
      clock: never,
      log: silentLogger,
      run: (tasks, free) => {
        for (const task of tasks) void this.#run(task).finally(() => free(task))
      },
      onLost: () => expect.fail('nothing was lost'),
      onCrash: (error) => {
        throw error
      },
    }
    this.consumer = new AgentConsumer(options)
    this.consumer.attach(this)
  }

  // What the consumer asks of the broker.

  pause(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions)
      if (this.#place(partition).isAssigned) this.#place(partition).isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#place(partition).isPaused = false
  }

  commit(commits: readonly OffsetCommit[]): Promise<void> {
    this.#store(commits)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  // What happens to the consumer.

  /**
   * A new generation: `share` says of each partition whether it is ours, and whether it stays so without a break. In a break others
   * have it, who finish and commit `others` records: after a revocation, or while this member was expelled.
   */
  rebalance(share: readonly { readonly mine: boolean; readonly kept: boolean; readonly others?: number }[]): void {
    this.#store(this.consumer.onRebalancing())
    this.#isDelivering = false
    const assignment = this.places.flatMap((place, index) => {
      const { mine, kept, others = 0 } = share[index] ?? { mine: false, kept: false }
      const isKept = mine && kept && place.isAssigned
      if (!isKept) {
        place.isPaused = false
        this.#leaveToOthers(place, others)
        place.position = place.committed?.offset ?? 0
        place.ran = []
        const map = decodeOffsetMap(place.committed?.metadata ?? '', place.position)
        const base = place.position
        place.restored = (offset) => offset < base || map?.has(offset) === true
      }
      place.isAssigned = mine
      if (!mine) return []
      const { topic, partition, committed, position } = place
      return [
        {
          ...{ topic, partition, startOffset: position, kept: isKept },
          committedOffset: committed?.offset ?? null,
          metadata: committed?.metadata ?? '',
        },
      ]
    })
    this.consumer.onAssigned(assignment)
    this.#isDelivering = true
    this.check()
  }

  /** Delivers up to `count` records; true when the consumer took any. */
  deliver(which: number, count: number): boolean {
    const place = this.#place(which)
    if (!this.#isDelivering || !place.isAssigned || place.isPaused || place.position >= place.end) return false
    const { topic, partition, position } = place
    const records = place.records.filter((record) => record.offset >= position).slice(0, count)
    const lastOffset =
      (place.records.find((record) => record.offset > (records.at(-1)?.offset ?? 0))?.offset ?? place.end) - 1
    const next = this.consumer.onBatch({
      topic,
      partition,
      records,
      fromOffset: position,
      lastOffset,
      endOffset: place.end,
    })
    expect(next).toBeGreaterThanOrEqual(position)
    // A broker whose next fetch brings the same records again is kept busy for nothing.
    if (next < (records[0]?.offset ?? 0) + 1) expect(place.isPaused).toBe(true)
    place.position = next
    this.check()
    return next > position
  }

  /** The handler of a running task ends: its lane may go on. */
  async endRun(which: number): Promise<void> {
    const running = this.#running.filter((run) => !run.hasEnded)
    const run = running[which % Math.max(1, running.length)]
    if (run === undefined) return
    run.hasEnded = true
    run.end()
    await settle()
    this.check()
  }

  /** The input of a task is finished, before or after its handler ended. */
  finish(which: number): void {
    const open = this.#running.filter((run) => !run.isFinished)
    const run = open[which % Math.max(1, open.length)]
    if (run === undefined) return
    run.isFinished = true
    run.place.finished.add(run.task.offset)
    this.consumer.finish(run.task)
    this.check()
  }

  /** The commit timer. */
  async tick(): Promise<void> {
    await this.consumer.commit()
    this.check()
  }

  /** Lets everything go on until nothing moves any more. */
  async finishAll(): Promise<void> {
    this.rebalance(this.places.map(() => ({ mine: true, kept: true })))
    for (let idle = 0; idle < 3;) {
      let moved = false
      for (const place of this.places) moved = this.deliver(place.partition, 50) || moved
      moved ||= this.#running.some((run) => !run.isFinished || !run.hasEnded)
      while (this.#running.some((run) => !run.hasEnded)) await this.endRun(0)
      while (this.#running.some((run) => !run.isFinished)) this.finish(0)
      this.#running = []
      await this.tick()
      idle = moved ? 0 : idle + 1
    }
    for (const { partition, position, end, records, finished, committed, isPaused } of this.places) {
      expect({ partition, position, isPaused, committed: committed?.offset ?? 0 }).toEqual({
        ...{ partition, position: end, isPaused: false, committed: end },
      })
      expect(records.filter((record) => !finished.has(record.offset))).toEqual([])
    }
  }

  check(): void {
    const running = this.#running.filter((run) => !run.hasEnded)
    expect(this.consumer.runningCount).toBe(running.length)
    expect(running.length).toBeLessThanOrEqual(this.#limits.maxInFlight)
    // Handlers of lost partitions are told to end where the agent wants that, and only there.
    for (const { task } of running)
      expect(task.cancellation.reason).toBe(
        task.home.dropped && this.#limits.onRevoke === 'abort' ? 'revoked' : undefined,
      )
    // One record per partition is always let in, so that none stands still.
    expect(this.consumer.openCount).toBeLessThanOrEqual(this.#limits.maxOpen + this.places.length)
  }

  #run(task: Task): Promise<void> {
    const place = this.#place(task.partition)
    expect(place.ran, 'run once').not.toContain(task.offset)
    expect(place.restored(task.offset), 'run although finished before').toBe(false)
    if (this.#limits.order === 'key' && task.key !== null) {
      const key = task.key
      const same = this.#running.filter(
        (run) => !run.hasEnded && run.task.home === task.home && run.task.key?.equals(key) === true,
      )
      expect(same, 'two of one key run').toEqual([])
      const later = place.ran.filter(
        (offset) => offset > task.offset && place.records.find((r) => r.offset === offset)?.key?.equals(key) === true,
      )
      expect(later, 'run after a later one of its key').toEqual([])
    }
    place.ran.push(task.offset)
    return new Promise((end) => this.#running.push({ task, place, end, isFinished: false, hasEnded: false }))
  }

  #leaveToOthers(place: Place, count: number): void {
    const from = place.committed?.offset ?? 0
    const theirs = place.records.filter(({ offset }) => offset >= from).slice(0, count)
    const last = theirs.at(-1)
    if (last === undefined) return
    for (const { offset } of theirs) place.finished.add(offset)
    // They know what the map said, and have nothing above their own.
    place.committed = { offset: last.offset + 1, metadata: '' }
  }

  #store(commits: readonly OffsetCommit[]): void {
    for (const { partition, offset, metadata } of commits) {
      const place = this.#place(partition)
      expect(place.isAssigned).toBe(true)
      const map = decodeOffsetMap(metadata, offset)
      const isFinished = (at: number): boolean => at < offset || map?.has(at) === true
      const false_ = place.records.filter((record) => isFinished(record.offset) && !place.finished.has(record.offset))
      expect(false_, 'committed above an unfinished record').toEqual([])
      expect(offset).toBeGreaterThanOrEqual(place.committed?.offset ?? 0)
      place.committed = { offset, metadata }
    }
  }

  #place(which: number): Place {
    const place = this.places[which % this.places.length]
    if (place === undefined) throw new Error('a driver has partitions')
    return place
  }
}

function makePlace(plan: readonly { gap: number; key: number; bytes: number }[], partition: number): Place {
  let offset = -1
  const records = plan.map(({ gap, key, bytes }) => ({
    offset: (offset += 1 + gap),
    timestampMs: 0,
    key: key === 0 ? null : Buffer.from(`k${key}`),
    value: Buffer.alloc(bytes),
    headers: {},
  }))
  return {
    ...{ topic: 'test.in', partition, records, end: offset + 1, position: 0 },
    ...{ isAssigned: false, isPaused: false, committed: undefined },
    ...{ finished: new Set<number>(), ran: [], restored: () => false },
  }
}

/** Continuations of ended runs are microtasks. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}
