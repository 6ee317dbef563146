/** Marks: what one process sets the others of its agent see, and none removes what another has put in its place. */
import { describe, expect, it } from 'vitest'
import { uniqueName } from '../harness/unique-name.ts'
import { ME, newRef, one, OTHER, type StoreBench } from './store-bench.ts'

/** Marks, and the deaths that a claim counts. */
export function describeMarks(bench: StoreBench): void {
  describe('marks', () => {
    it('are seen by all processes of an agent, and by no other agent', async () => {
      const agent = uniqueName('test.agent')
      const [mine, theirs] = [bench.mine.marksOf(agent), bench.others.marksOf(agent)]
      expect(await mine.get('held')).toBeUndefined()
      await mine.set('held', ME)
      expect(await theirs.get('held')).toBe(ME)
      expect(await bench.mine.marksOf(uniqueName('test.agent')).get('held')).toBeUndefined()
    })

    it('are removed by who set them, and not once they say something else', async () => {
      const marks = bench.mine.marksOf(uniqueName('test.agent'))
      await marks.set('held', ME)
      await marks.set('held', OTHER)
      await marks.clear('held', ME)
      expect(await marks.get('held')).toBe(OTHER)
      await marks.clear('held', OTHER)
      expect(await marks.get('held')).toBeUndefined()
    })
  })

  describe('the deaths that a claim has cost', () => {
    it('stand in it until it ends, through journal, release and take-over', async () => {
      const claims = bench.claims()
      const ref = newRef()
      const deaths = async () => ({ deaths: 0, ...(await one(claims.read([ref]))) }).deaths
      await claims.claim([{ ...ref, owner: ME, from: 'absent', deaths: 1 }])
      expect(await deaths()).toBe(1)
      await claims.writeJournal([{ ...ref, owner: ME, attempt: 1, name: 'a', value: Buffer.from('1') }])
      await claims.claim([{ ...ref, owner: OTHER, from: { owner: ME, attempt: 1 }, deaths: 2 }])
      await claims.release([{ ...ref, owner: OTHER, attempt: 2 }])
      expect(await deaths()).toBe(2)
      await claims.claim([{ ...ref, owner: ME, from: { owner: '', attempt: 2 }, deaths: 2 }])
      await claims.hand([{ ...ref, from: { owner: ME, attempt: 3 }, kind: 'retry', attempt: 3 }])
      await claims.claim([{ ...ref, owner: ME, from: { handed: 'retry', attempt: 3 } }])
      expect(await deaths()).toBe(0)
    })

    it('do not change the generation of its dead letter', async () => {
      const claims = bench.claims()
      const ref = newRef()
      const note = Buffer.from('why')
      await claims.claim([{ ...ref, owner: ME, from: 'absent', deaths: 3 }])
      const { current } = await one(claims.bury([{ ...ref, from: { owner: ME, attempt: 1 }, note }]))
      expect(current).toMatchObject({ state: 'dead', generation: 1 })
    })
  })
}
