/** One process's lease: renewed in time, lost only by the store's word, and no judgement of others after an outage. */
import { beforeEach, describe, expect, it } from 'vitest'
import { LeaseKeeper } from '../../../../runtime/admit/lease-keeper.ts'
import { createMemoryStore, type MemoryStore } from '../../../../runtime/adapters/memory/store.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import { createManualClock, type ManualClock } from '../../../harness/manual-clock.ts'

const LEASE_MS = 9_000

let clock: ManualClock
let store: MemoryStore
let losses: number

const keeperOf = (instance: string): LeaseKeeper =>
  new LeaseKeeper({
    ...{ leases: store.leases, instance, leaseMs: LEASE_MS, clock, log: silentLogger },
    onLost: () => losses++,
  })

beforeEach(() => {
  clock = createManualClock()
  store = createMemoryStore({ clock })
  losses = 0
})

describe('a lease', () => {
  it('lives as long as its keeper renews it, and ends with it', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    await clock.advance(LEASE_MS * 5)
    expect(await store.leases.isAlive('me')).toBe(true)
    await keeper.stop()
    expect(await store.leases.isAlive('me')).toBe(false)
    expect(clock.pending).toBe(0)
    expect(losses).toBe(0)
  })

  it('is stale after a standstill, until it has been renewed', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    expect(keeper.isStale).toBe(false)
    // The process was stopped: time has passed and no timer has fired.
    clock.skip(LEASE_MS + 1)
    expect(keeper.isStale).toBe(true)
    await clock.advance(1)
    expect(keeper.isStale).toBe(false)
    await keeper.stop()
  })

  it.each([-3_600_000, 3_600_000])(
    'is renewed, and judged stale or not, as before when the clock is set by %i ms',
    async (byMs) => {
      const keeper = keeperOf('me')
      await keeper.start()
      clock.set(byMs)
      await clock.advance(LEASE_MS)
      expect(keeper.isStale).toBe(false)
      clock.skip(LEASE_MS + 1)
      expect(keeper.isStale).toBe(true)
      await keeper.stop()
    },
  )

  it.each([0, 3_600_000])(
    'of another counts as alive for one lease after all were forgotten, and no longer, whatever the clock says (%i ms off)',
    async (byMs) => {
      const keeper = keeperOf('me')
      // Time of day and time passed are two things: a lease is a span of the latter.
      clock.set(byMs)
      await keeper.start()
      keeper.pardon()
      expect(await keeper.isAlive('another')).toBe(true)
      await clock.advance(LEASE_MS)
      expect(await keeper.isAlive('another')).toBe(false)
      await keeper.stop()
    },
  )

  it('that lapsed is reported as lost, once, and is held again', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    await store.leases.release('me')
    await store.leases.renew('me', 1)
    await clock.advance(LEASE_MS)
    expect(losses).toBe(1)
    expect(await store.leases.isAlive('me')).toBe(true)
    await keeper.stop()
  })

  it('that the store has forgotten is back at once, and is no loss', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    await store.leases.release('me')
    keeper.pardon()
    keeper.pardon()
    await clock.advance(1)
    expect(await store.leases.isAlive('me')).toBe(true)
    expect(losses).toBe(0)
    expect(clock.pending).toBe(1)
    await keeper.stop()
  })

  it('is not lost because the store was away', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    store.faults.unavailableFor(LEASE_MS * 3)
    await clock.advance(LEASE_MS * 4)
    expect(losses).toBe(0)
    await keeper.stop()
  })

  it('that cannot be released at the end does not hold up the end', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    store.faults.unavailableFor(LEASE_MS)
    await expect(keeper.stop()).resolves.toBeUndefined()
  })
})

describe('another owner', () => {
  it('is alive while its lease lives; nobody is never alive', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    await store.leases.renew('other', LEASE_MS)
    expect(await keeper.isAlive('other')).toBe(true)
    expect(await keeper.isAlive('')).toBe(false)
    await clock.advance(LEASE_MS + 1)
    expect(await keeper.isAlive('other')).toBe(false)
    await keeper.stop()
  })

  it('counts as alive from the return of the store, before we have renewed, until one lease after', async () => {
    const keeper = keeperOf('me')
    await keeper.start()
    await store.leases.renew('other', LEASE_MS)
    // Renewals are due at 3, 6, … 18, 21 s; the store is away from 3 s to 20.5 s, and at 20.6 s we have not renewed yet.
    await clock.advance(3_001)
    store.faults.unavailableFor(17_500)
    await clock.advance(17_600)
    expect(await store.leases.isAlive('other')).toBe(false)
    expect(await keeper.isAlive('other')).toBe(true)
    await clock.advance(21_000 + LEASE_MS - 1 - clock.nowMs())
    expect(await keeper.isAlive('other')).toBe(true)
    await clock.advance(1)
    expect(await keeper.isAlive('other')).toBe(false)
    await keeper.stop()
  })

  it('is not judged by a process whose own renewal has been hanging for a lease', async () => {
    let isHanging = false
    const leases = {
      ...store.leases,
      renew: (instance: string, leaseMs: number) =>
        isHanging ? new Promise<boolean>(() => undefined) : store.leases.renew(instance, leaseMs),
    }
    const keeper = new LeaseKeeper({
      ...{ leases, instance: 'me', leaseMs: LEASE_MS, clock, log: silentLogger },
      onLost: () => losses++,
    })
    await keeper.start()
    isHanging = true
    await clock.advance(LEASE_MS + 1)
    expect(await keeper.isAlive('other')).toBe(true)
  })
})
