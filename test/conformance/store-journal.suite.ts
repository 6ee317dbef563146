/** Journals: written by the exact claim only, read by whoever takes over, gone when the handling is done. */
import { describe, expect, it } from 'vitest'
import { waitFor } from '../harness/wait.ts'
import { ME, newRef, NOTE, one, OTHER, POSITION, type StoreBench } from './store-bench.ts'

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

export function describeJournal(bench: StoreBench): void {
  describe('the journal of a handling', () => {
    it('is empty at first', async () => {
      expect(await one(bench.claims().readJournal([newRef()]))).toEqual(new Map())
    })

    it('keeps values by name, any bytes, the last of a name', async () => {
      const claims = bench.claims()
      const ref = { ...newRef(), owner: ME, attempt: 1 }
      await claims.claim([{ ...ref, from: 'absent' }])
      await claims.writeJournal([
        { ...ref, name: 'größe', value: Buffer.from('first') },
        { ...ref, name: 'bytes', value: EVERY_BYTE },
      ])
      const answer = await one(claims.writeJournal([{ ...ref, name: 'größe', value: Buffer.from('second') }]))
      expect(answer).toEqual({ accepted: true, current: { state: 'claimed', owner: ME, attempt: 1 } })
      expect(await one(claims.readJournal([ref]))).toEqual(
        new Map([
          ['größe', Buffer.from('second')],
          ['bytes', EVERY_BYTE],
        ]),
      )
    })

    it('is for whoever takes over, and refuses the owner whose claim was taken', async () => {
      const [mine, theirs] = bench.bothClaims()
      const ref = newRef()
      await mine.claim([{ ...ref, owner: ME, from: 'absent' }])
      await mine.writeJournal([{ ...ref, owner: ME, attempt: 1, name: 'a', value: Buffer.from('1') }])
      await theirs.claim([{ ...ref, owner: OTHER, from: { owner: ME, attempt: 1 } }])
      const late = { ...ref, owner: ME, attempt: 1, name: 'b', value: Buffer.from('late') }
      const taken = { state: 'claimed', owner: OTHER, attempt: 2 }
      expect(await one(mine.writeJournal([late]))).toEqual({ accepted: false, current: taken })
      expect(await one(theirs.readJournal([ref]))).toEqual(new Map([['a', Buffer.from('1')]]))
      await theirs.writeJournal([{ ...late, owner: OTHER, attempt: 2, value: Buffer.from('2') }])
      expect([...(await one(mine.readJournal([ref]))).keys()].sort()).toEqual(['a', 'b'])
    })

    it.each(['absent', 'computed', 'handed', 'dead', 'released'])('refuses what has no claim: %s', async (state) => {
      const claims = bench.claims()
      const ref = newRef()
      const from = { owner: ME, attempt: 1 }
      if (state !== 'absent') await claims.claim([{ ...ref, owner: ME, from: 'absent' }])
      if (state === 'computed')
        await claims.compute([{ ...ref, ...from, from, position: POSITION, outputs: Buffer.alloc(0) }])
      if (state === 'handed') await claims.hand([{ ...ref, from, kind: 'retry', attempt: 1 }])
      if (state === 'dead') await claims.bury([{ ...ref, from, note: NOTE }])
      if (state === 'released') await claims.release([{ ...ref, ...from }])
      const answer = await one(claims.writeJournal([{ ...ref, ...from, name: 'a', value: Buffer.from('1') }]))
      expect(answer.accepted).toBe(false)
      expect(await one(claims.readJournal([ref]))).toEqual(new Map())
    })

    it('outlives a dead letter: a redrive finds it', async () => {
      const claims = bench.claims({ dedupMs: 50 })
      const ref = { ...newRef(), owner: ME, attempt: 1 }
      const passing = newRef()
      await claims.claim([{ ...ref, from: 'absent' }])
      await claims.writeJournal([{ ...ref, name: 'a', value: Buffer.from('1') }])
      await claims.bury([{ ...ref, from: { owner: ME, attempt: 1 }, note: NOTE }])
      await claims.settle([{ ...ref, generation: 1 }])
      await claims.hand([{ ...passing, from: 'absent', kind: 'joined', attempt: 1 }])
      const hasPassed = async (): Promise<boolean> => (await one(claims.read([passing]))).state === 'absent'
      await waitFor(hasPassed, { what: 'dedupMs to pass' })
      await claims.claim([{ ...ref, from: { deadGeneration: 1 } }])
      expect(await one(claims.readJournal([ref]))).toEqual(new Map([['a', Buffer.from('1')]]))
    })

    it('goes when its handling is done, and no other goes with it', async () => {
      const claims = bench.claims()
      const [ended, other] = [newRef(), newRef()].map((ref) => ({ ...ref, owner: ME, attempt: 1 }))
      if (ended === undefined || other === undefined) throw new Error('two refs were made')
      for (const ref of [ended, other]) {
        await claims.claim([{ ...ref, from: 'absent' }])
        await claims.writeJournal([{ ...ref, name: 'a', value: Buffer.from('1') }])
      }
      const from = { owner: ME, attempt: 1 }
      await claims.compute([{ ...ended, from, position: POSITION, outputs: Buffer.alloc(0) }])
      // Refused: it is not computed, so its journal must stay.
      expect((await one(claims.finish([{ ...other, hasJournal: true }]))).accepted).toBe(false)
      expect((await one(claims.finish([{ ...ended, hasJournal: true }]))).accepted).toBe(true)
      const [ofEnded, ofOther] = await claims.readJournal([ended, other])
      expect([ofEnded?.size, ofOther?.size]).toEqual([0, 1])
    })

    it('takes and gives any number at once', async () => {
      const claims = bench.claims()
      const refs = Array.from({ length: 2_500 }, newRef)
      await claims.claim(refs.map((ref) => ({ ...ref, owner: ME, from: 'absent' })))
      const answers = await claims.writeJournal(
        refs.map((ref, index) => ({ ...ref, owner: ME, attempt: 1, name: 'n', value: Buffer.from(String(index)) })),
      )
      expect(answers.every(({ accepted }) => accepted)).toBe(true)
      const journals = await claims.readJournal(refs)
      expect(journals.map((journal) => journal.get('n')?.toString())).toEqual(refs.map((_, index) => String(index)))
    })
  })
}
