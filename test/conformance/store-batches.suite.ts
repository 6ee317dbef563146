/** Batches: any number of independent entries, any bytes. */
import { describe, expect, it } from 'vitest'
import type { HandlingRef } from '../../runtime/ports/claim-store.ts'
import { computedBy, ME, newRef, one, OTHER, POSITION, type StoreBench } from './store-bench.ts'

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

function computeRequest(ref: HandlingRef, outputs: Buffer) {
  return { ...ref, owner: ME, attempt: 1, from: 'absent' as const, position: POSITION, outputs }
}

export function describeBatches(bench: StoreBench): void {
  describe('batches', () => {
    it('of nothing are answered by nothing', async () => {
      const claims = bench.claims()
      expect(await claims.read([])).toEqual([])
      expect(await claims.claim([])).toEqual([])
      expect(await claims.join([])).toEqual([])
    })

    it.each([1_000, 2_500])('of %i entries are answered in order', async (size) => {
      const claims = bench.claims()
      const refs = Array.from({ length: size }, newRef)
      const isTaken = (index: number): boolean => index % 3 === 0
      await claims.claim(
        refs.filter((_, index) => isTaken(index)).map((ref) => ({ ...ref, owner: OTHER, from: 'absent' })),
      )
      const outputs = (index: number): Buffer => Buffer.from(`outputs ${index}`)
      const computed = await claims.compute(refs.map((ref, index) => computeRequest(ref, outputs(index))))
      expect(computed.map(({ accepted }) => accepted)).toEqual(refs.map((_, index) => !isTaken(index)))

      const expected = refs.map((_, index) =>
        isTaken(index) ? { state: 'claimed', owner: OTHER, attempt: 1 } : computedBy(ME, 1, outputs(index)),
      )
      expect(await claims.read(refs)).toEqual(expected)
      const finished = await claims.finish(refs)
      expect(finished.map(({ current }) => current.state)).toEqual(
        refs.map((_, i) => (isTaken(i) ? 'claimed' : 'done')),
      )
    })

    it('apply entries about one handling in their order', async () => {
      const claims = bench.claims()
      const ref = newRef()
      const answers = await claims.claim([
        { ...ref, owner: ME, from: 'absent' },
        { ...ref, owner: OTHER, from: 'absent' },
        { ...ref, owner: OTHER, from: { owner: ME, attempt: 1 } },
      ])
      expect(answers.map(({ accepted }) => accepted)).toEqual([true, false, true])
    })

    it('keep flows apart that share an event id, and agents that share both', async () => {
      const [claims, others] = [bench.claims(), bench.claims()]
      const ref = { flowId: '00000000-0000-4000-8000-000000000001', handlingId: newRef().handlingId }
      await claims.claim([{ ...ref, owner: ME, from: 'absent' }])
      const elsewhere = { ...ref, flowId: '00010000-0000-4000-8000-000000000001' }
      expect(await one(claims.read([elsewhere]))).toEqual({ state: 'absent' })
      expect(await one(others.read([ref]))).toEqual({ state: 'absent' })
    })
  })

  describe('outputs', () => {
    it.each([
      ['none', Buffer.alloc(0)],
      ['every byte', EVERY_BYTE],
      ['300 KB', Buffer.alloc(300_000, EVERY_BYTE)],
    ])('of %s come back as they were', async (_, outputs) => {
      const claims = bench.claims()
      const ref = newRef()
      await claims.compute([computeRequest(ref, outputs)])
      const state = await one(claims.read([ref]))
      expect({ ...state, outputs: '' }).toEqual({ ...computedBy(ME, 1, outputs), outputs: '' })
      // Not by toEqual, which takes seconds for so many bytes.
      expect(state.state === 'computed' && state.outputs.equals(outputs)).toBe(true)
    })

    it('of 20 x 300 KB go into one call', async () => {
      const claims = bench.claims()
      const refs = Array.from({ length: 20 }, newRef)
      const outputs = Buffer.alloc(300_000, EVERY_BYTE)
      const answers = await claims.compute(refs.map((ref) => computeRequest(ref, outputs)))
      expect(answers.every(({ accepted }) => accepted)).toBe(true)
      const states = await claims.read(refs)
      expect(states.every((state) => state.state === 'computed' && state.outputs.equals(outputs))).toBe(true)
    })

    it('are the store’s own: changing the caller’s bytes afterwards changes nothing', async () => {
      const claims = bench.claims()
      const ref = newRef()
      const outputs = Buffer.from('before')
      await claims.compute([computeRequest(ref, outputs)])
      outputs.fill('x')
      expect(await one(claims.read([ref]))).toEqual(computedBy(ME, 1, Buffer.from('before')))
    })
  })
}
