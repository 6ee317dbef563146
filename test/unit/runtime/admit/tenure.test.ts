/** Who had a partition before: what a death leaves is told from what a rebalance leaves, and it costs two calls per partition. */
import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStore, type MemoryStore } from '../../../../runtime/adapters/memory/store.ts'
import { Tenure } from '../../../../runtime/admit/tenure.ts'
import { Trials } from '../../../../runtime/admit/trials.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import { createSkippingClock } from '../../../harness/skipping-clock.ts'

const AT = { topic: 'a.b', partition: 3 }

let clock: ReturnType<typeof createSkippingClock>
let store: MemoryStore

beforeEach(() => {
  clock = createSkippingClock()
  store = createMemoryStore({ clock })
})

/** A process's tenure, with its hold on the partition and the first record it finds there. */
function holder(instance: string, offset: number) {
  const home = { ...AT }
  const isAlive = (other: string): Promise<boolean> => store.leases.isAlive(other)
  const tenure = new Tenure({ marks: store.marksOf('test.a'), instance, isAlive, clock, log: silentLogger })
  const at = (of: number) => ({ ...AT, home, offset: of })
  return {
    tenure,
    home,
    take: () => tenure.take(at(offset)),
    giveUp: () => tenure.giveUp(home),
    suspects: (of: number) => tenure.isSuspect(at(of)),
  }
}

describe('a partition', () => {
  it('that nobody had, or that was given up, has no suspects', async () => {
    const [first, second] = [holder('p1', 0), holder('p2', 100)]
    await first.take()
    expect(first.suspects(0)).toBe(false)
    first.giveUp()
    await first.tenure.settled()
    await second.take()
    expect(second.suspects(100)).toBe(false)
  })

  it('whose process died has so many from the first unfinished record on', async () => {
    const [first, second] = [holder('p1', 0), holder('p2', 100)]
    await first.take()
    await second.take()
    expect([100, 100 + 16_383, 100 + 16_384].map(second.suspects)).toEqual([true, true, false])
  })

  it('whose process lives is waited for a moment', async () => {
    const [first, second] = [holder('p1', 0), holder('p2', 100)]
    await store.leases.renew('p1', 60_000)
    await first.take()
    const taking = second.take()
    first.giveUp()
    await taking
    expect(second.suspects(100)).toBe(false)
  })

  it('that came back to who had it has no suspects, whatever is written late', async () => {
    const first = holder('p1', 0)
    await first.take()
    first.giveUp()
    const again = { ...AT, home: { ...AT }, offset: 50 }
    await first.tenure.take(again)
    expect(first.tenure.isSuspect(again)).toBe(false)
    await first.tenure.settled()
    const next = holder('p2', 60)
    await next.take()
    expect(next.suspects(60)).toBe(true)
  })

  it('is taken without suspicion where the store does not answer', async () => {
    await holder('p1', 0).take()
    store.faults.unavailableFor(60_000)
    const second = holder('p2', 100)
    await second.take()
    expect(second.tenure.isTaken(second.home)).toBe(true)
    expect(second.suspects(100)).toBe(false)
  })
})

describe('trials', () => {
  const trialsOf = (instance: string): Trials => new Trials({ marks: store.marksOf('test.a'), instance, clock })

  it('go on one at a time, and are told to whoever comes after a death', async () => {
    const trials = trialsOf('p1')
    expect(await trials.enter('one')).toBe(true)
    expect(await trials.enter('two')).toBe(false)
    expect(await trialsOf('p2').wasOnTrial('p1', 'one')).toBe(true)
    expect(await trialsOf('p2').wasOnTrial('p1', 'two')).toBe(false)
    trials.leave('two')
    expect(await trials.enter('two')).toBe(false)
    trials.leave('one')
    expect(await trials.enter('two')).toBe(true)
  })

  it('make room for the next after two seconds; who has lived so long is not blamed any more', async () => {
    const trials = trialsOf('p1')
    await trials.enter('one')
    clock.skip(2_000)
    expect(await trials.enter('two')).toBe(true)
    expect(await trials.wasOnTrial('p1', 'one')).toBe(false)
  })

  it('do not begin while the store is away', async () => {
    const trials = trialsOf('p1')
    store.faults.unavailableFor(1_000)
    expect(await trials.enter('one')).toBe(false)
    clock.skip(1_000)
    expect(await trials.enter('two')).toBe(true)
  })
})
