/** Corners of an agent's consumer that random schedules seldom reach: a full offset map, draining, a consumer that has stopped. */
import { beforeEach, describe, expect, it } from 'vitest'
import { AgentConsumer } from '../../../../runtime/consume/agent-consumer.ts'
import type { Task } from '../../../../runtime/consume/task.ts'
import type { BrokerConsumer, BrokerRecord, OffsetCommit, TopicPartition } from '../../../../runtime/ports/broker.ts'
import type { Clock } from '../../../../runtime/ports/clock.ts'
import { describeStandstill } from '../../../../runtime/consume/standstill.ts'
import { silentLogger, type Logger } from '../../../../runtime/ports/logger.ts'

const AT = { topic: 'test.in', partition: 0 }
const ASSIGNED = { ...AT, committedOffset: null, metadata: '', startOffset: 0, kept: false }

/** What the consumer asked of the broker, and what it runs. */
class Rig implements BrokerConsumer {
  readonly consumer: AgentConsumer
  readonly commits: OffsetCommit[] = []
  readonly lost: { from: number; to: number }[] = []
  readonly crashes: unknown[] = []
  readonly timers = new Set<() => void>()
  readonly said: string[] = []
  nowMs = 1_000_000
  tasks: Task[] = []
  isPaused = false
  hasLeft = false
  readonly #due = new WeakMap<() => void, number>()
  readonly #ends = new Map<Task, () => void>()

  constructor() {
    const clock: Clock = {
      nowMs: () => this.nowMs,
      steadyMs: () => this.nowMs,
      random: () => 0.5,
      after: (delayMs, callback) => {
        this.timers.add(callback)
        this.#due.set(callback, this.nowMs + delayMs)
        return () => void this.timers.delete(callback)
      },
    }
    this.consumer = new AgentConsumer({
      ...{ order: 'key', onRevoke: 'finish', maxInFlight: 100_000, maxOpen: 100_000, maxOpenBytes: 1e9 },
      ...{ commitIntervalMs: 1_000, clock, log: logInto(this.said) },
      // All of them wait for their handlers: room.test.ts is about the others.
      waitingCount: () => 100_000,
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
    this.hasLeft = true
    return Promise.resolve()
  }

  deliver(from: number, to: number): number {
    const records = Array.from({ length: to - from }, (_, index) => recordAt(from + index))
    return this.consumer.onBatch({ ...AT, records, fromOffset: from, lastOffset: to - 1, endOffset: to })
  }

  /** Lets time pass, one commit interval after the other. */
  async pass(ms: number): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 1_000
      for (const timer of [...this.timers]) {
        if ((this.#due.get(timer) ?? 0) > this.nowMs) continue
        this.timers.delete(timer)
        timer()
      }
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
  }

  end(task: Task): void {
    this.consumer.finish(task)
    this.#ends.get(task)?.()
  }
}

function recordAt(offset: number, headers: BrokerRecord['headers'] = {}): BrokerRecord {
  return { offset, timestampMs: 0, key: Buffer.from(`k${offset}`), value: Buffer.from('v'), headers }
}

function logInto(said: string[]): Logger {
  const note = (level: string) => (text: string) => void said.push(`${level}: ${text}`)
  const log: Logger = { ...silentLogger, info: note('info'), warn: note('warn'), child: () => log }
  return log
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
    await Promise.resolve()
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

describe('a record that takes long', () => {
  it('is named with its age, and what is finished above it, until it ends', async () => {
    rig.deliver(0, 100)
    const [stuck, ...others] = rig.tasks
    for (const task of others.slice(0, 60)) rig.end(task)
    await rig.pass(29_000)
    expect(rig.consumer.standstills).toEqual([])
    await rig.pass(20_000)
    expect(rig.consumer.standstills).toMatchObject([
      { ...AT, offset: 0, key: 'k0', state: 'handled', finishedAbove: 60, openBeside: 39, takesNothing: null },
    ])
    expect(rig.said).toEqual([])
    await rig.pass(260_000)
    expect(rig.said.map((line) => /^warn: commits stand still: test.in\/0 .* since (\d+ \w+)/.exec(line)?.[1])).toEqual(
      ['60 s', '2 min', '4 min'],
    )
    if (stuck !== undefined) rig.end(stuck)
    await rig.pass(2_000)
    expect(rig.said.at(-1)).toBe('info: commits go on')
    expect(rig.consumer.standstills).toEqual([])
  })

  it('is told in one sentence', async () => {
    const same = [0, 1, 2].map((offset) => ({ ...recordAt(offset), key: Buffer.from('order-7') }))
    rig.consumer.onBatch({ ...AT, records: same, fromOffset: 0, lastOffset: 2, endOffset: 3 })
    await rig.pass(240_000)
    const [standstill] = rig.consumer.standstills
    const { envelope } = rig.tasks[0] ?? {}
    expect(standstill === undefined ? '' : describeStandstill(standstill)).toBe(
      `test.in/0 commits nothing above offset 0 since 3 min: event ${envelope?.id} of flow ${envelope?.flowId}, key order-7 ` +
        'is still being handled; 0 later offsets are finished and will not run again; 2 records of its key wait for it; ' +
        'other keys go on',
    )
  })

  it('is told to hold up its partition when the map of what is finished is full', async () => {
    rig.deliver(0, 8_000)
    for (const task of rig.tasks) if (task.offset % 2 === 1) rig.end(task)
    await rig.pass(40_000)
    expect(rig.deliver(8_000, 8_010)).toBe(8_000)
    expect(rig.consumer.standstills).toMatchObject([{ offset: 0, takesNothing: 'map', finishedAbove: 4_000 }])
  })
})

describe('a log whose start has overtaken the reader', () => {
  it('is reported as lost, and commits go on behind the gap', async () => {
    rig.deliver(0, 10)
    const records = [recordAt(50), recordAt(51)]
    expect(rig.consumer.onBatch({ ...AT, records, fromOffset: 50, lastOffset: 51, endOffset: 52 })).toBe(52)
    expect(rig.lost).toEqual([{ from: 10, to: 50 }])
    for (const task of rig.tasks) rig.end(task)
    await rig.consumer.commit()
    expect(rig.commits.at(-1)).toMatchObject({ offset: 52, metadata: '' })
  })
})

describe('a gap that is wider than the ring', () => {
  const FAR = 5_000_000

  it('waits for the record before it, and is passed over then', async () => {
    rig.deliver(0, 1)
    const far = { ...AT, records: [recordAt(FAR)], fromOffset: 1, lastOffset: FAR, endOffset: FAR + 1 }
    expect(rig.consumer.onBatch(far)).toBe(1)
    expect(rig.isPaused).toBe(true)
    await rig.pass(40_000)
    expect(rig.isPaused).toBe(true)
    expect(rig.consumer.standstills).toMatchObject([{ takesNothing: 'span' }])
    for (const task of rig.tasks) rig.end(task)
    await Promise.resolve()
    expect(rig.isPaused).toBe(false)
    expect(rig.consumer.onBatch(far)).toBe(FAR + 1)
    expect(rig.crashes).toEqual([])
  })
})

describe('a drain with a handler that takes long', () => {
  it.each([true, false])('leaves the group early when others are there: %s', async (hasOthers) => {
    rig.deliver(0, 10)
    const [long, ...others] = rig.tasks
    for (const task of others) rig.end(task)
    const drained = rig.consumer.drain(60_000, () => Promise.resolve(hasOthers))
    await rig.pass(20_000)
    expect(rig.hasLeft).toBe(hasOthers)
    // What is finished above it travels with the last commit.
    if (hasOthers)
      expect(rig.commits.at(-1)).toMatchObject({ offset: 0, metadata: expect.stringMatching(/^l1./) as string })
    expect(long?.cancellation.reason).toBeUndefined()
    if (long !== undefined) rig.end(long)
    await drained
    await rig.consumer.stop()
    expect(rig.commits.at(-1)?.offset).toBe(hasOthers ? 0 : 10)
  })

  it('aborts it when its time is over, after it has left', async () => {
    rig.deliver(0, 1)
    const drained = rig.consumer.drain(60_000, () => Promise.resolve(true))
    await rig.pass(66_000)
    expect(rig.tasks[0]?.cancellation.reason).toBe('shutdown')
    await drained
  })
})
