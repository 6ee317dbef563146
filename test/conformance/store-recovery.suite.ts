/** Recovery: who puts back, what is put back where, and when claims are open. */
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { joinHandlingId } from '../../contracts/ids.ts'
import type { ClaimStore, HandlingRef } from '../../runtime/ports/claim-store.ts'
import type { RecoveryStore, RestoredState } from '../../runtime/ports/recovery-store.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'
import { describeState, ME, newRef, one, OTHER, POSITION, type StoreBench } from './store-bench.ts'

const OPTIONS = { dedupMs: 600_000, joinTtlMs: 600_000, recovers: true }
const LOST = { code: 'LABAN_STORE_LOST', errorClass: 'retry' }
const TOPICS = ['credit.score-calculated', 'credit.income-verified'] as const
const [SCORE, INCOME] = TOPICS
const outputs = Buffer.from('said')

/** From the earliest to the latest state of one handling. */
const LATER: readonly RestoredState[] = [
  { state: 'handed', kind: 'parked', attempt: 0, generation: 0 },
  { state: 'claimed', owner: '', attempt: 1, generation: 0 },
  { state: 'claimed', owner: ME, attempt: 1, generation: 0 },
  { state: 'handed', kind: 'retry', attempt: 1, generation: 0 },
  { state: 'claimed', owner: OTHER, attempt: 2, generation: 0 },
  { state: 'dead', attempt: 9, generation: 1 },
  { state: 'claimed', owner: ME, attempt: 3, generation: 1 },
  { state: 'handed', kind: 'suspended', attempt: 300, generation: 1 },
  { state: 'dead', attempt: 4, generation: 2 },
  { state: 'computed', owner: ME, attempt: 5, position: POSITION, outputs },
  { state: 'done' },
]

function member(topic: string, record = Buffer.from(topic)) {
  return { eventId: randomUUID(), topic, partition: 5, offset: 2 ** 41 + 1, record }
}

export function describeRecovery(bench: StoreBench): void {
  const fresh = (agent = uniqueName('test.agent')): { agent: string; claims: ClaimStore; recovery: RecoveryStore } => {
    const recovery = bench.mine.recoveryOf(agent, OPTIONS)
    return { agent, claims: bench.mine.claimsOf(agent, OPTIONS), recovery }
  }
  const opened = async () => {
    const made = fresh()
    const { epoch } = await made.recovery.status()
    await made.recovery.complete(epoch)
    await made.claims.enter(epoch)
    return made
  }

  describe('recovery', () => {
    it('opens claims only for who has entered an epoch', async () => {
      const { agent, claims, recovery } = fresh()
      await expect(claims.read([newRef()])).rejects.toMatchObject(LOST)
      const { epoch, isRecovered } = await recovery.status()
      expect(isRecovered).toBe(false)
      expect(await recovery.complete('another epoch')).toBe(false)
      expect(await recovery.complete(epoch)).toBe(true)
      expect(await recovery.complete(epoch)).toBe(true)
      await expect(claims.claim([{ ...newRef(), owner: ME, from: 'absent' }])).rejects.toMatchObject(LOST)
      await claims.enter(epoch)
      expect(await one(claims.read([newRef()]))).toEqual({ state: 'absent' })
      const others = bench.others.recoveryOf(agent, OPTIONS)
      expect(await others.status()).toEqual({ epoch, isRecovered: true })
    })

    it('is led by one at a time, for the time of a lease', async () => {
      const agent = uniqueName('test.agent')
      const [mine, theirs] = [bench.mine.recoveryOf(agent, OPTIONS), bench.others.recoveryOf(agent, OPTIONS)]
      expect(await mine.lead(ME, 600_000)).toBe(true)
      expect(await theirs.lead(OTHER, 600_000)).toBe(false)
      expect(await mine.lead(ME, 50)).toBe(true)
      await waitFor(() => theirs.lead(OTHER, 600_000), { what: 'the lease to end' })
      expect(await mine.lead(ME, 600_000)).toBe(false)
    })

    it('keeps the latest state, in whatever order states are put back', async () => {
      const { recovery } = await opened()
      for (const [earlier, before] of LATER.entries()) {
        for (const later of LATER.slice(earlier)) {
          const [up, down] = [newRef(), newRef()]
          const expected = await standing(recovery, newRef(), [later])
          const name = `${before.state} and ${later.state}`
          expect(await standing(recovery, up, [before, later]), name).toBe(expected)
          expect(await standing(recovery, down, [later, before]), name).toBe(expected)
        }
      }
    })

    it('restores states from which work goes on as before', async () => {
      const { claims, recovery } = await opened()
      const [handed, dead, claimed, computed, begun] = [newRef(), newRef(), newRef(), newRef(), newRef()]
      const note = Buffer.from('why')
      await recovery.restore([
        { ...handed, restored: { state: 'handed', kind: 'retry', attempt: 3, generation: 2 } },
        { ...dead, restored: { state: 'dead', attempt: 2, generation: 4 } },
        { ...claimed, restored: { state: 'claimed', owner: ME, attempt: 7, generation: 1 } },
        { ...computed, restored: { state: 'computed', owner: '', attempt: 1, position: POSITION, outputs } },
        { ...begun, restored: { state: 'dead', attempt: 3, generation: 1, unsettled: { owner: ME, note } } },
      ])
      expect(await one(claims.read([begun]))).toEqual({ state: 'dead', generation: 1, unsettled: { owner: ME, note } })
      expect((await one(claims.bury([{ ...begun, from: { owner: ME, attempt: 3 }, note }]))).accepted).toBe(true)
      expect((await one(claims.settle([{ ...begun, generation: 1 }]))).accepted).toBe(true)
      const answers = await claims.claim([
        { ...handed, owner: OTHER, from: { handed: 'retry', attempt: 3 } },
        { ...dead, owner: OTHER, from: { deadGeneration: 4 } },
      ])
      expect(answers.map(({ accepted, current }) => `${accepted} ${describeState(current)}`)).toEqual([
        'true claimed b4',
        'true claimed b3',
      ])
      // The generation goes on counting from what was put back.
      const buried = await claims.bury([{ ...claimed, from: { owner: ME, attempt: 7 }, note }])
      expect(buried.map(({ current }) => describeState(current))).toEqual(['buried 2 why a'])
      const [found] = await claims.read([computed])
      expect(found).toEqual({ state: 'computed', owner: '', attempt: 1, position: POSITION, outputs })
      expect((await one(claims.finish([computed]))).accepted).toBe(true)
    })

    it('restores journals where there is no entry of that name', async () => {
      const { claims, recovery } = await opened()
      const ref = newRef()
      await claims.claim([{ ...ref, owner: ME, from: 'absent' }])
      await claims.writeJournal([{ ...ref, owner: ME, attempt: 1, name: 'a', value: Buffer.from('new') }])
      await recovery.restoreJournal([
        { ...ref, name: 'a', value: Buffer.from('old') },
        { ...ref, name: 'b', value: Buffer.from('old') },
      ])
      const journal = await one(claims.readJournal([ref]))
      expect([...journal].map(([name, value]) => `${name} ${String(value)}`).sort()).toEqual(['a new', 'b old'])
    })

    it('restores joins that wait, and those that have fired', async () => {
      const { agent, claims, recovery } = await opened()
      const [waiting, fired] = [randomUUID(), randomUUID()]
      const [first, second, score, income] = [member(SCORE), member(SCORE), member(SCORE), member(INCOME)]
      await recovery.restoreJoins([{ flowId: waiting, member: first, isDone: false }])
      await recovery.restoreJoins([{ flowId: waiting, member: second, isDone: false }])
      await recovery.restoreJoins([{ flowId: fired, member: score, isDone: false }])
      await recovery.restoreJoins([score, income].map((each) => ({ flowId: fired, member: each, isDone: true })))
      await recovery.restore([{ flowId: fired, handlingId: joinHandlingId(agent, fired), restored: { state: 'done' } }])
      const last = member(INCOME)
      expect(await one(claims.join([{ flowId: waiting, topics: TOPICS, member: last }]))).toEqual({
        result: 'recorded',
        have: TOPICS,
        members: [first, last],
      })
      const ask = (asked: ReturnType<typeof member>) =>
        one(claims.join([{ flowId: fired, topics: TOPICS, member: asked }]))
      expect(await ask(score)).toEqual({ result: 'already', have: TOPICS })
      expect(await ask(member(INCOME))).toEqual({ result: 'late', have: TOPICS })
    })

    it('takes more at once than one call of a server should hold', async () => {
      const { claims, recovery } = await opened()
      const refs = Array.from({ length: 1_200 }, newRef)
      await recovery.restore(refs.map((ref) => ({ ...ref, restored: { state: 'done' } })))
      expect((await claims.read(refs)).every(({ state }) => state === 'done')).toBe(true)
      expect((await recovery.read(refs)).every(({ state }) => state === 'done')).toBe(true)
    })
  })
}

async function standing(recovery: RecoveryStore, ref: HandlingRef, states: readonly RestoredState[]): Promise<string> {
  for (const restored of states) {
    const answer = await one(recovery.restore([{ ...ref, restored }]))
    expect(await one(recovery.read([ref]))).toEqual(answer)
  }
  return describeState(await one(recovery.read([ref])))
}
