/** The store suite on the store in memory, and the faults that only it has. */
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../runtime/adapters/memory/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { createSkippingClock } from '../harness/skipping-clock.ts'
import { ME, newRef, one } from './store-bench.ts'
import { describeStore } from './store.suite.ts'

describeStore('memory', () => {
  const store = createMemoryStore({ clock: systemClock })
  return { open: () => store }
})

const OPTIONS = { dedupMs: 60_000, joinTtlMs: 60_000 }
const UNAVAILABLE = { code: 'LABAN_STORE_UNAVAILABLE', errorClass: 'retry' }

describe('faults of the store in memory', () => {
  it('is unavailable for a while, without effect', async () => {
    const clock = createSkippingClock()
    const store = createMemoryStore({ clock })
    const claims = store.claimsOf('test.agent', OPTIONS)
    const ref = newRef()
    store.faults.unavailableFor(10_000)
    await expect(claims.claim([{ ...ref, owner: ME, from: 'absent' }])).rejects.toMatchObject(UNAVAILABLE)
    await expect(store.leases.renew(ME, 1_000)).rejects.toMatchObject(UNAVAILABLE)
    await expect(store.connect()).rejects.toMatchObject(UNAVAILABLE)
    clock.skip(10_001)
    expect(await one(claims.read([ref]))).toEqual({ state: 'absent' })
  })

  it('applies a call whose answer is lost, and accepts it again', async () => {
    const store = createMemoryStore({ clock: systemClock })
    const claims = store.claimsOf('test.agent', OPTIONS)
    const request = { ...newRef(), owner: ME, from: 'absent' as const }
    store.faults.loseAnswers(1)
    await expect(claims.claim([request])).rejects.toMatchObject(UNAVAILABLE)
    expect(await one(claims.claim([request]))).toEqual({
      accepted: true,
      current: { state: 'claimed', owner: ME, attempt: 1 },
    })
  })

  it('says once to each agent that it was wiped, and to each process that its lease is lost', async () => {
    const store = createMemoryStore({ clock: systemClock })
    const claims = store.claimsOf('test.agent', OPTIONS)
    const ref = newRef()
    await claims.claim([{ ...ref, owner: ME, from: 'absent' }])
    await store.leases.renew(ME, 60_000)
    store.faults.wipe()
    await expect(claims.read([ref])).rejects.toMatchObject({ code: 'LABAN_STORE_LOST', errorClass: 'retry' })
    expect(await one(claims.read([ref]))).toEqual({ state: 'absent' })
    expect(await store.leases.renew(ME, 60_000)).toBe(false)
  })

  it('forgets what has ended, so that memory stays bounded', async () => {
    const clock = createSkippingClock()
    const store = createMemoryStore({ clock })
    const claims = store.claimsOf('test.agent', OPTIONS)
    const ref = newRef()
    await claims.hand([{ ...ref, from: 'absent', kind: 'joined', attempt: 1 }])
    clock.skip(OPTIONS.dedupMs + 1)
    expect(await one(claims.read([ref]))).toEqual({ state: 'absent' })
  })
})
