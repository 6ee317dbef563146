/** Leases: lost only when the store says so. */
import { describe, expect, it } from 'vitest'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'
import type { StoreBench } from './store-bench.ts'

const LONG_MS = 600_000
const SHORT_MS = 60

export function describeLeases(bench: StoreBench): void {
  describe('leases', () => {
    it('are seen by others while they last, and not after release', async () => {
      const [mine, theirs] = [bench.mine.leases, bench.others.leases]
      const instance = uniqueName('instance')
      expect(await theirs.isAlive(instance)).toBe(false)
      expect(await mine.renew(instance, LONG_MS)).toBe(true)
      expect(await theirs.isAlive(instance)).toBe(true)
      await mine.release(instance)
      expect(await theirs.isAlive(instance)).toBe(false)
    })

    it('are renewed as often as wanted', async () => {
      const { leases } = bench.mine
      const instance = uniqueName('instance')
      for (let i = 0; i < 5; i++) expect(await leases.renew(instance, LONG_MS)).toBe(true)
    })

    it('say once that they had lapsed, and hold again from then on', async () => {
      const { leases } = bench.mine
      const instance = uniqueName('instance')
      await leases.renew(instance, SHORT_MS)
      await waitFor(async () => !(await leases.isAlive(instance)), { what: 'the lease to lapse' })
      expect(await leases.renew(instance, LONG_MS)).toBe(false)
      expect(await leases.isAlive(instance)).toBe(true)
      expect(await leases.renew(instance, LONG_MS)).toBe(true)
    })

    it('last longer by renewal', async () => {
      const { leases } = bench.mine
      const [renewed, other] = [uniqueName('instance'), uniqueName('instance')]
      await Promise.all([leases.renew(renewed, SHORT_MS), leases.renew(other, SHORT_MS)])
      await leases.renew(renewed, LONG_MS)
      await waitFor(async () => !(await leases.isAlive(other)), { what: 'the other lease to lapse' })
      expect(await leases.isAlive(renewed)).toBe(true)
    })

    it('begin anew after release', async () => {
      const { leases } = bench.mine
      const instance = uniqueName('instance')
      await leases.renew(instance, LONG_MS)
      await leases.release(instance)
      expect(await leases.renew(instance, LONG_MS)).toBe(true)
    })
  })
}
