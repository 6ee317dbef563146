/** Looking at a store: what is seen is what stands, and looking changes nothing. */
import { describe, expect, it } from 'vitest'
import { uniqueName } from '../harness/unique-name.ts'
import type { StoreBench } from './store-bench.ts'

const LONG_MS = 600_000
const KEPT = { dedupMs: LONG_MS, joinTtlMs: LONG_MS }

export function describeView(bench: StoreBench): void {
  describe('a view', () => {
    it('sees the states and the journal that agents see', async () => {
      const agent = uniqueName('seen')
      const claims = bench.mine.claimsOf(agent, KEPT)
      const view = bench.others.viewOf(agent)
      const ref = { flowId: crypto.randomUUID(), handlingId: crypto.randomUUID() }
      expect(await view.handlings([ref])).toEqual([{ state: 'absent' }])
      await claims.claim([{ ...ref, owner: 'me', from: 'absent' }])
      await claims.writeJournal([{ ...ref, owner: 'me', attempt: 1, name: 'step', value: Buffer.from('value') }])
      expect(await view.handlings([ref])).toEqual(await claims.read([ref]))
      expect(await view.handlings([ref])).toMatchObject([{ state: 'claimed', owner: 'me', attempt: 1 }])
      expect([...(await view.journal(ref))].map(([name, value]) => [name, value.toString()])).toEqual([
        ['step', 'value'],
      ])
      expect([...(await view.journal({ ...ref, handlingId: crypto.randomUUID() }))]).toEqual([])
    })

    it('sees whether the memory is complete, and who completes it', async () => {
      const agent = uniqueName('rebuilt')
      const recovery = bench.mine.recoveryOf(agent, KEPT)
      const view = bench.others.viewOf(agent)
      const { epoch } = await recovery.status()
      await recovery.lead('me', LONG_MS)
      expect(await view.memory()).toEqual({ isRecovered: false, recoverer: 'me' })
      await recovery.complete(epoch)
      expect(await view.memory()).toMatchObject({ isRecovered: true })
    })

    it('begins no epoch', async () => {
      const agent = uniqueName('untouched')
      const view = bench.mine.viewOf(agent)
      const before = await view.memory()
      await view.handlings([{ flowId: crypto.randomUUID(), handlingId: crypto.randomUUID() }])
      expect(await view.memory()).toEqual(before)
      expect(before?.isRecovered ?? false).toBe(false)
    })

    it('sees leases with what their processes say, and those that are not there', async () => {
      const { leases } = bench.mine
      const [held, gone] = [uniqueName('held'), uniqueName('gone')]
      await leases.renew(held, LONG_MS, 'not well')
      const [first, second] = await bench.others.leases.look([held, gone])
      expect(first?.note).toBe('not well')
      expect(first?.remainingMs).toBeGreaterThan(LONG_MS - 60_000)
      expect(first?.remainingMs).toBeLessThanOrEqual(LONG_MS)
      expect(second).toEqual({ remainingMs: null, note: '' })
      await leases.renew(held, LONG_MS)
      expect(await bench.others.leases.look([held])).toMatchObject([{ note: '' }])
      await leases.release(held)
      expect(await bench.others.leases.look([held])).toEqual([{ remainingMs: null, note: '' }])
    })
  })
}
