/** Two processes at once: exactly one wins, and the loser goes by what the winner stored. */
import { describe, expect, it } from 'vitest'
import {
  computedBy,
  expectAccepted,
  expectRefused,
  ME,
  newRef,
  NOTE,
  one,
  OTHER,
  POSITION,
  type StoreBench,
} from './store-bench.ts'

const ROUNDS = 50

export function describeRaces(bench: StoreBench): void {
  describe('two owners', () => {
    it('compute at once: one wins, and both know its outputs', async () => {
      const [mine, theirs] = bench.bothClaims()
      for (let round = 0; round < ROUNDS; round++) {
        const ref = newRef()
        const compute = (owner: string) => ({
          ...ref,
          owner,
          attempt: 1,
          from: 'absent' as const,
          position: POSITION,
          outputs: Buffer.from(`${owner} ${round}`),
        })
        const [a, b] = await Promise.all([one(mine.compute([compute(ME)])), one(theirs.compute([compute(OTHER)]))])
        const winner = a.accepted ? ME : OTHER
        expect([a.accepted, b.accepted]).toEqual([winner === ME, winner === OTHER])
        const stored = computedBy(winner, 1, Buffer.from(`${winner} ${round}`))
        expect([a.current, b.current]).toEqual([stored, stored])
      }
    })

    it('claim at once: one wins', async () => {
      const [mine, theirs] = bench.bothClaims()
      const refs = Array.from({ length: ROUNDS }, newRef)
      const [a, b] = await Promise.all([
        mine.claim(refs.map((ref) => ({ ...ref, owner: ME, from: 'absent' }))),
        theirs.claim(refs.map((ref) => ({ ...ref, owner: OTHER, from: 'absent' }))),
      ])
      for (const [index, mineOne] of a.entries()) {
        expect(mineOne.accepted).not.toBe(b[index]?.accepted)
        expect(mineOne.current).toEqual(b[index]?.current)
      }
    })

    it('take over at once: one wins', async () => {
      const [mine, theirs] = bench.bothClaims()
      const ref = newRef()
      await mine.claim([{ ...ref, owner: 'dead.1', from: 'absent' }])
      const from = { owner: 'dead.1', attempt: 1 }
      const answers = await Promise.all([
        one(mine.claim([{ ...ref, owner: ME, from }])),
        one(theirs.claim([{ ...ref, owner: OTHER, from }])),
      ])
      expect(answers.filter((answer) => answer.accepted)).toHaveLength(1)
    })

    it('nothing is accepted from an owner whose claim was taken', async () => {
      const [mine, theirs] = bench.bothClaims()
      const ref = newRef()
      const from = { owner: ME, attempt: 1 }
      await mine.claim([{ ...ref, owner: ME, from: 'absent' }])
      await theirs.claim([{ ...ref, owner: OTHER, from }])
      const taken = { state: 'claimed', owner: OTHER, attempt: 2 } as const
      const outputs = Buffer.from('late')
      expectRefused(
        await one(mine.compute([{ ...ref, owner: ME, attempt: 1, from, position: POSITION, outputs }])),
        taken,
      )
      expectRefused(await one(mine.hand([{ ...ref, from, kind: 'retry', attempt: 1 }])), taken)
      expectRefused(await one(mine.bury([{ ...ref, from, note: NOTE }])), taken)
      expectRefused(await one(mine.release([{ ...ref, owner: ME, attempt: 1 }])), taken)
      expectRefused(await one(mine.claim([{ ...ref, owner: ME, from }])), taken)
      expectRefused(await one(mine.finish([ref])), taken)
    })

    it('keeps the outputs stored first when they are sent again', async () => {
      const claims = bench.claims()
      const ref = newRef()
      const request = { ...ref, owner: ME, attempt: 1, from: 'absent' as const, position: POSITION }
      const first = Buffer.from('first')
      expectAccepted(await one(claims.compute([{ ...request, outputs: first }])), computedBy(ME, 1, first))
      const again = await one(claims.compute([{ ...request, outputs: Buffer.from('second') }]))
      expectAccepted(again, computedBy(ME, 1, first))
    })
  })
}
