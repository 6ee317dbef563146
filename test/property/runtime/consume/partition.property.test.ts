/**
 * Offsets of one partition against a model of plain sets: whatever is delivered, refused, finished, committed, revoked and
 * restarted in whatever order, a commit never passes over an unfinished record, and nothing finished is forgotten when it fits.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeOffsetMap, emptyRanges, MAX_METADATA_BYTES } from '../../../../runtime/consume/offset-map.ts'
import { PartitionState } from '../../../../runtime/consume/partition.ts'
import type { Task } from '../../../../runtime/consume/task.ts'
import type { BrokerRecord, OffsetCommit } from '../../../../runtime/ports/broker.ts'

type Step =
  | { readonly kind: 'deliver'; readonly records: number; readonly accepted: number; readonly tail: boolean }
  | { readonly kind: 'finish'; readonly which: number; readonly count: number }
  | { readonly kind: 'commit' }
  | { readonly kind: 'restart'; readonly commitsFirst: boolean }

const AT = { topic: 'test.in', partition: 0 }
const FIRST_OFFSET = 7

/** A log, one consumer's state of it, and what a person with pencil and paper would know. */
class Rig {
  readonly offsets: readonly number[]
  readonly finishedEver = new Set<number>()
  /** Finished, or seen not to exist, as far as the present consumer can know. */
  known = new Set<number>()
  open = new Map<number, Task>()
  state: PartitionState
  base = FIRST_OFFSET
  position = FIRST_OFFSET
  committed: OffsetCommit = { ...AT, offset: FIRST_OFFSET, metadata: '' }

  constructor(gaps: readonly number[]) {
    let offset = FIRST_OFFSET - 1
    this.offsets = gaps.map((gap) => (offset += 1 + gap))
    this.state = new PartitionState(AT, FIRST_OFFSET, emptyRanges, { perKey: true })
  }

  get end(): number {
    return (this.offsets.at(-1) ?? FIRST_OFFSET - 1) + 1
  }

  step(step: Step): void {
    if (step.kind === 'deliver') this.deliver(step.records, step.accepted, step.tail)
    else if (step.kind === 'finish')
      for (let index = 0; index < step.count; index++) this.finish(step.which + index * 7)
    else if (step.kind === 'commit') this.commit()
    else this.restart(step.commitsFirst)
    this.check()
  }

  deliver(count: number, accepted: number, hasTail: boolean): void {
    const from = this.position
    const offsets = this.offsets.filter((offset) => offset >= from).slice(0, count)
    const last = offsets.at(-1)
    if (last === undefined) return
    // A tail of offsets without records belongs to the batch, up to the next record.
    const lastOffset = hasTail ? (this.offsets.find((offset) => offset > last) ?? last + 1) - 1 : last
    const before = new Set(this.state.open)
    let room = accepted
    const next = this.state.register(
      { ...AT, records: offsets.map(record), fromOffset: from, lastOffset, endOffset: this.end },
      () => room-- > 0,
    )
    const taken = offsets.slice(0, accepted)
    const refused = offsets[accepted]
    expect(next).toBe(refused ?? lastOffset + 1)
    this.position = next
    const fresh = [...this.state.open].filter((task) => !before.has(task))
    expect(fresh.map((task) => task.offset)).toEqual(
      taken.filter((offset) => offset >= this.base && !this.known.has(offset) && !this.open.has(offset)),
    )
    for (const task of fresh) this.open.set(task.offset, task)
    const exists = new Set(offsets)
    for (let offset = from; offset < next; offset++) if (!exists.has(offset)) this.known.add(offset)
  }

  finish(which: number): void {
    const offset = [...this.open.keys()][which % Math.max(1, this.open.size)]
    const task = offset === undefined ? undefined : this.open.get(offset)
    if (offset === undefined || task === undefined) return
    this.state.finish(task)
    this.open.delete(offset)
    this.known.add(offset)
    this.finishedEver.add(offset)
  }

  commit(): void {
    const commit = this.state.pendingCommit()
    if (commit === undefined) return
    this.judge(commit)
    this.committed = commit
    this.state.committed(commit)
  }

  /** The honest commit: never above an unfinished record that is not in the map; nothing finished is left out when it fits. */
  judge({ offset, metadata }: OffsetCommit): void {
    expect(Buffer.byteLength(metadata)).toBeLessThanOrEqual(MAX_METADATA_BYTES)
    const map = decodeOffsetMap(metadata, offset)
    const isFinished = (at: number): boolean => at < offset || map?.has(at) === true
    expect(this.offsets.filter((at) => isFinished(at) && !this.finishedEver.has(at))).toEqual([])
    expect([...this.open.keys()].filter(isFinished)).toEqual([])
    if (metadata.length > MAX_METADATA_BYTES * 0.9) return
    for (const at of this.known) if (!isFinished(at)) expect.fail(`offset ${at} was finished and is forgotten`)
  }

  restart(commitsFirst: boolean): void {
    if (commitsFirst) this.commit()
    const lost = [...this.open.values()]
    this.state.dropped = true
    const { offset, metadata } = this.committed
    const map = decodeOffsetMap(metadata, offset) ?? emptyRanges
    this.state = new PartitionState(AT, offset, map, { perKey: true })
    this.state.committed(this.committed)
    // What still ran in the dropped state ends later and must change nothing.
    for (const task of lost) task.home.finish(task)
    const known = new Set<number>()
    for (let at = FIRST_OFFSET; at < Math.max(offset, map.end); at++) if (at < offset || map.has(at)) known.add(at)
    this.known = known
    this.open = new Map()
    this.position = offset
    this.base = FIRST_OFFSET
  }

  check(): void {
    while (this.known.has(this.base)) this.base++
    expect(this.state.tracker.base).toBe(this.base)
    expect([...this.state.open].map((task) => task.offset)).toEqual([...this.open.keys()])
    expect(this.state.openBytes).toBe([...this.open.values()].reduce((sum, task) => sum + task.bytes, 0))
  }

  /** Whatever happened: once everything is delivered and finished, everything can be committed. */
  finishAll(): void {
    while (this.position < this.end) this.deliver(1_000, 1_000, true)
    while (this.open.size > 0) this.finish(0)
    this.check()
    expect(this.state.tracker.base).toBe(this.end)
    this.commit()
    expect(this.committed).toMatchObject({ offset: this.end, metadata: '' })
    expect(this.offsets.filter((offset) => !this.finishedEver.has(offset))).toEqual([])
  }
}

function record(offset: number): BrokerRecord {
  return { offset, timestampMs: 0, key: Buffer.from(`k${offset % 5}`), value: null, headers: {} }
}

const steps = (maxRecords: number) =>
  fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('deliver' as const),
          records: fc.integer({ min: 1, max: maxRecords }),
          accepted: fc.oneof(fc.constant(maxRecords), fc.nat({ max: maxRecords })),
          tail: fc.boolean(),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('finish' as const),
          which: fc.nat({ max: 1_000 }),
          count: fc.integer({ min: 1, max: maxRecords }),
        }),
      },
      { weight: 3, arbitrary: fc.constant({ kind: 'commit' as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), commitsFirst: fc.boolean() }) },
    ),
    { maxLength: 60 },
  )

function run(gaps: readonly number[], plan: readonly Step[]): void {
  const rig = new Rig(gaps)
  for (const step of plan) rig.step(step)
  rig.finishAll()
}

describe('the offsets of a partition', () => {
  it('are committed honestly, with gaps, refusals, any order of ends, and restarts', () => {
    const gap = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 5 }) })
    fc.assert(fc.property(fc.array(gap, { maxLength: 120 }), steps(20), run), { numRuns: 500 })
  })

  it('stay right when the ring grows over 1,024 and 65,536 slots', () => {
    const gap = fc.constantFrom(0, 0, 0, 1, 600, 1_030, 40_000, 66_000)
    fc.assert(fc.property(fc.array(gap, { minLength: 5, maxLength: 8 }), steps(4), run), { numRuns: 20 })
  })

  it('keep a correct prefix when the map of what is finished does not fit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 9_000, max: 14_000 }), (every, count) => {
        const rig = new Rig(Array.from({ length: count }, () => 0))
        rig.deliver(count, count, true)
        const tasks = [...rig.open.values()]
        for (const task of tasks) {
          if ((task.offset - FIRST_OFFSET) % every === 0) continue
          rig.state.finish(task)
          rig.open.delete(task.offset)
          rig.known.add(task.offset)
          rig.finishedEver.add(task.offset)
        }
        rig.commit()
        expect(rig.committed.metadata.length).toBeGreaterThan(MAX_METADATA_BYTES * 0.9)
        expect(rig.state.mapIsFull).toBe(true)
        const map = decodeOffsetMap(rig.committed.metadata, rig.committed.offset) ?? emptyRanges
        expect(map.end).toBeGreaterThan(FIRST_OFFSET + 2_000)
        for (let at = FIRST_OFFSET; at < map.end; at++) {
          if (map.has(at) === ((at - FIRST_OFFSET) % every === 0)) expect.fail(`offset ${at} is wrong in the map`)
        }
        rig.restart(false)
        rig.check()
        rig.deliver(count, count, true)
        rig.check()
      }),
      { numRuns: 5 },
    )
  })
})
