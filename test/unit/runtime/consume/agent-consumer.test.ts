/** Corners of an agent's consumer that random schedules seldom reach: a full offset map, draining, a consumer that has stopped. */
import { beforeEach, describe, expect, it } from 'vitest'
import { AgentConsumer } from '../../../../runtime/consume/agent-consumer.ts'
import type { Task } from '../../../../runtime/consume/task.ts'
import type { BrokerConsumer, BrokerRecord, OffsetCommit, TopicPartition } from '../../../../runtime/ports/broker.ts'
import type { Clock } from '../../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'

const AT = { topic: 'test.in', partition: 0 }
const ASSIGNED = { ...AT, committedOffset: null, metadata: '', startOffset: 0, kept: false }

/** What the consumer asked of the broker, and what it runs. */
class Rig implements BrokerConsumer {
  readonly consumer: AgentConsumer
  readonly commits: OffsetCommit[] = []
  readonly lost: { from: number; to: number }[] = []
  readonly crashes: unknown[] = []
  readonly timers = new Set<() => void>()
  tasks: Task[] = []
  isPaused = false
  readonly #ends = new Map<Task, () => void>()

  constructor() {
    const clock: Clock = {
      nowMs: () => 0,
      random: () => 0.5,
      after: (_delayMs, callback) => {
        this.timers.add(callback)
        return () => void this.timers.delete(callback)
      },
    }
    this.consumer = new AgentConsumer({
      ...{ order: 'key', onRevoke: 'finish', maxInFlight: 100_000, maxOpen: 100_000, maxOpenBytes: 1e9 },
      ...{ commitIntervalMs: 1_000, clock, log: silentLogger },
      run: (tasks, free) => {
        for (const task of tasks) {
          this.tasks.push(task)
          this.#ends.set(task, () => free(task))
        }
      },
      onLost: (_at, from, to) => this.lost.push({ from, to }),
      onCrash: (error) => this.crashes.push(error),
    })
    this.consumer.attach(this)
  }

  pause(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.isPaused = false
  }

  commit(commits: readonly OffsetCommit[]): Promise<void> {
    this.commits.push(...commits)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  deliver(from: number, to: number): number {
    const records = Array.from({ length: to - from }, (_, index) => recordAt(from + index))
    return this.consumer.onBatch({ ...AT, records, fromOffset: from, lastOffset: to - 1, endOffset: to })
  }

  end(task: Task): void {
    this.consumer.finish(task)
    this.#ends.get(task)?.()
  }
}

function recordAt(offset: number, headers: BrokerRecord['headers'] = {}): BrokerRecord {
  return { offset, timestampMs: 0, key: Buffer.from(`k${offset}`), value: Buffer.from('v'), headers }
}

let rig: Rig

beforeEach(() => {
  rig = new Rig()
  rig.consumer.onAssigned([ASSIGNED])
})

describe('a full map of finished offsets', () => {
  it('stops intake, and lets it go on once the pinning record is finished', async () => {
    rig.deliver(0, 8_000)
    for (const task of rig.tasks) if (task.offset % 2 === 1) rig.end(task)
    await rig.consumer.commit()
    expect(rig.deliver(8_000, 8_010)).toBe(8_000)
    expect(rig.isPaused).toBe(true)
    for (const task of rig.tasks) if (task.offset % 2 === 0) rig.end(task)
    expect(rig.isPaused).toBe(false)
    expect(rig.deliver(8_000, 8_010)).toBe(8_010)
  })

  it('lets intake go on when a commit finds that the map fits again, with records still open', async () => {
    rig.deliver(0, 8_000)
    for (const task of rig.tasks) if (task.offset % 2 === 1) rig.end(task)
    await rig.consumer.commit()
    rig.deliver(8_000, 8_010)
    for (const task of rig.tasks) if (task.offset % 2 === 0 && task.offset > 0) rig.end(task)
    expect(rig.isPaused).toBe(true)
    await rig.consumer.commit()
    expect(rig.isPaused).toBe(false)
  })
})

describe('a record', () => {
  it('keeps nothing of the buffer that it was fetched in', () => {
    const fetched = Buffer.alloc(1_000_000, 'x')
    const slice = fetched.subarray(10, 20)
    const record = { ...recordAt(0), key: slice, value: slice, headers: { one: slice, many: [slice, slice] } }
    rig.consumer.onBatch({ ...AT, records: [record], fromOffset: 0, lastOffset: 0, endOffset: 1 })
    const [task] = rig.tasks
    fetched.fill('y')
    expect(task?.headers).toEqual({
      one: Buffer.from('xxxxxxxxxx'),
      many: [slice, slice].map(() => Buffer.from('xxxxxxxxxx')),
    })
    expect(task?.value?.toString()).toBe('xxxxxxxxxx')
    for (const part of [task?.key, task?.value, task?.headers['one'] as Buffer])
      expect(part?.buffer.byteLength).toBeLessThan(100_000)
  })

  it('counts its headers among the open bytes', () => {
    const huge = { ...recordAt(0), headers: { huge: Buffer.alloc(50_000) } }
    rig.consumer.onBatch({ ...AT, records: [huge], fromOffset: 0, lastOffset: 0, endOffset: 1 })
    expect(rig.tasks[0]?.bytes).toBeGreaterThan(50_000)
  })
})

describe('an assignment', () => {
  it('that begins above the committed offset reports what is lost and still knows what the map says', () => {
    const fresh = new Rig()
    fresh.consumer.onAssigned([ASSIGNED])
    fresh.deliver(0, 20)
    for (const task of fresh.tasks) if (task.offset >= 10) fresh.end(task)
    const [commit] = fresh.consumer.onRebalancing()
    const heir = new Rig()
    heir.consumer.onAssigned([
      { ...AT, committedOffset: 0, metadata: commit?.metadata ?? '', startOffset: 5, kept: false },
    ])
    heir.deliver(5, 25)
    expect(heir.lost).toEqual([{ from: 0, to: 5 }])
    expect(heir.tasks.map((task) => task.offset)).toEqual([5, 6, 7, 8, 9, 20, 21, 22, 23, 24])
  })

  it('that arrives while draining starts nothing and accepts nothing', () => {
    void rig.consumer.drain(1_000)
    rig.consumer.onAssigned([{ ...ASSIGNED, kept: false }])
    expect(rig.isPaused).toBe(true)
    expect(rig.deliver(0, 5)).toBe(0)
    expect(rig.tasks).toEqual([])
  })

  it('written by a newer version ends the consumer before anything is touched', () => {
    const heir = new Rig()
    heir.consumer.onAssigned([{ ...AT, committedOffset: 5, metadata: 'l2abc', startOffset: 5, kept: false }])
    expect(heir.crashes).toMatchObject([{ code: 'LABAN_FORMAT_TOO_NEW' }])
    expect(heir.timers.size).toBe(0)
  })
})

describe('a consumer that has stopped for good', () => {
  it('starts no queued work, finishes nothing and leaves no timer behind', async () => {
    const records = [0, 1].map((offset) => ({ ...recordAt(offset), key: Buffer.from('same') }))
    rig.consumer.onBatch({ ...AT, records, fromOffset: 0, lastOffset: 1, endOffset: 2 })
    rig.consumer.onCrash(new RangeError('gone'))
    for (const task of [...rig.tasks]) rig.end(task)
    await Promise.resolve()
    expect(rig.tasks).toHaveLength(1)
    expect(rig.timers.size).toBe(0)
    expect(rig.consumer.onRebalancing()).toEqual([])
  })

  it('after stop leaves no timer behind, even with a handler that never ends', async () => {
    rig.deliver(0, 1)
    const [commitTimer] = rig.timers
    commitTimer?.()
    await rig.consumer.stop()
    await Promise.resolve()
    rig.timers.delete(commitTimer ?? (() => undefined))
    expect(rig.timers.size).toBe(0)
  })
})
