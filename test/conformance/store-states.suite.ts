/** Every transition from every state: what is not in the table of accepted ones is refused and changes nothing. */
import { describe, expect, it } from 'vitest'
import type { ClaimRequest, ClaimStore, From, HandlingRef, Transition } from '../../runtime/ports/claim-store.ts'
import { waitFor } from '../harness/wait.ts'
import { describeState, ME, newRef, NOTE, one, OTHER, POSITION, type StoreBench } from './store-bench.ts'

type Step = (claims: ClaimStore, ref: HandlingRef) => Promise<Transition>

const MINE: From = { owner: ME, attempt: 1 }
const MINE_2: From = { owner: ME, attempt: 2 }

const claim =
  (owner: string, from: ClaimRequest['from']): Step =>
  (claims, ref) =>
    one(claims.claim([{ ...ref, owner, from }]))
const compute =
  (owner: string, attempt: number, from: From, position = POSITION): Step =>
  (claims, ref) =>
    one(claims.compute([{ ...ref, owner, attempt, from, position, outputs: Buffer.from(`by ${owner}`) }]))
const finish: Step = (claims, ref) => one(claims.finish([ref]))
const hand =
  (from: From, attempt = 1): Step =>
  (claims, ref) =>
    one(claims.hand([{ ...ref, from, kind: 'retry', attempt }]))
const bury =
  (from: From): Step =>
  (claims, ref) =>
    one(claims.bury([{ ...ref, from, note: NOTE }]))
const settle =
  (generation: number): Step =>
  (claims, ref) =>
    one(claims.settle([{ ...ref, generation }]))
const release =
  (owner: string, attempt: number): Step =>
  (claims, ref) =>
    one(claims.release([{ ...ref, owner, attempt }]))

/** How each state is reached, by what it is called. */
const STATES: Readonly<Record<string, readonly Step[]>> = {
  absent: [],
  'claimed a1': [claim(ME, 'absent')],
  'claimed a2': [claim(OTHER, 'absent'), claim(ME, { owner: OTHER, attempt: 1 })],
  'claimed b1': [claim(OTHER, 'absent')],
  'claimed b2': [claim(ME, 'absent'), claim(OTHER, MINE)],
  'claimed nobody1': [claim(ME, 'absent'), release(ME, 1)],
  'computed a1 by instance-a.1': [compute(ME, 1, 'absent')],
  'computed b1 by instance-b.1': [compute(OTHER, 1, 'absent')],
  'computed a2 by instance-a.1': [
    claim(OTHER, 'absent'),
    claim(ME, { owner: OTHER, attempt: 1 }),
    compute(ME, 2, { owner: ME, attempt: 2 }),
  ],
  done: [compute(ME, 1, 'absent'), finish],
  'handed retry 1': [claim(ME, 'absent'), hand(MINE)],
  'handed retry 2': [hand('absent', 2)],
  'buried 1 why a': [claim(ME, 'absent'), bury(MINE)],
  'buried 1 why nobody': [bury('absent')],
  'dead 1': [claim(ME, 'absent'), bury(MINE), settle(1)],
  'buried 2 why a': [claim(ME, 'absent'), bury(MINE), settle(1), claim(ME, { deadGeneration: 1 }), bury(MINE_2)],
  'dead 2': [claim(ME, 'absent'), bury(MINE), settle(1), claim(ME, { deadGeneration: 1 }), bury(MINE_2), settle(2)],
}

/** Each transition, and the states from which it is accepted with the state after it. From all others it is refused. */
const TRANSITIONS: Readonly<Record<string, { step: Step; accepted: Readonly<Record<string, string>> }>> = {
  'claim what is absent': {
    step: claim(ME, 'absent'),
    accepted: { absent: 'claimed a1', 'claimed a1': 'claimed a1' },
  },
  'take over from b1': {
    step: claim(ME, { owner: OTHER, attempt: 1 }),
    accepted: { 'claimed b1': 'claimed a2', 'claimed a2': 'claimed a2' },
  },
  'take over what was released': {
    step: claim(OTHER, { owner: '', attempt: 1 }),
    accepted: { 'claimed nobody1': 'claimed b2', 'claimed b2': 'claimed b2' },
  },
  'go on from a hand-over': {
    step: claim(ME, { handed: 'retry', attempt: 1 }),
    accepted: { 'handed retry 1': 'claimed a2', 'claimed a2': 'claimed a2' },
  },
  'go on from a hand-over of another kind': {
    step: claim(ME, { handed: 'parked', attempt: 2 }),
    accepted: {},
  },
  'redrive generation 1': {
    step: claim(ME, { deadGeneration: 1 }),
    accepted: { 'dead 1': 'claimed a2' },
  },
  'redrive generation 2': {
    step: claim(OTHER, { deadGeneration: 2 }),
    accepted: { 'dead 2': 'claimed b3' },
  },
  'compute what is absent': {
    step: compute(ME, 1, 'absent'),
    accepted: { absent: 'computed a1 by instance-a.1', 'computed a1 by instance-a.1': 'computed a1 by instance-a.1' },
  },
  'compute by claim a1': {
    step: compute(ME, 1, MINE),
    accepted: {
      'claimed a1': 'computed a1 by instance-a.1',
      'computed a1 by instance-a.1': 'computed a1 by instance-a.1',
    },
  },
  'compute by claim a2': {
    step: compute(ME, 2, { owner: ME, attempt: 2 }),
    accepted: {
      'claimed a2': 'computed a2 by instance-a.1',
      'computed a2 by instance-a.1': 'computed a2 by instance-a.1',
    },
  },
  'compute at another position': {
    step: compute(ME, 1, 'absent', { ...POSITION, offset: 8 }),
    accepted: { absent: 'computed a1 by instance-a.1' },
  },
  finish: {
    step: finish,
    accepted: {
      'computed a1 by instance-a.1': 'done',
      'computed a2 by instance-a.1': 'done',
      'computed b1 by instance-b.1': 'done',
      done: 'done',
    },
  },
  'hand what is absent': {
    step: hand('absent'),
    accepted: { absent: 'handed retry 1', 'handed retry 1': 'handed retry 1' },
  },
  'hand by claim a1': {
    step: hand(MINE),
    accepted: { 'claimed a1': 'handed retry 1', 'handed retry 1': 'handed retry 1' },
  },
  'bury what is absent': {
    step: bury('absent'),
    accepted: { absent: 'buried 1 why nobody', 'buried 1 why nobody': 'buried 1 why nobody' },
  },
  'bury by claim a1': {
    step: bury(MINE),
    accepted: { 'claimed a1': 'buried 1 why a', 'buried 1 why a': 'buried 1 why a', 'dead 1': 'dead 1' },
  },
  'bury by claim a2': {
    step: bury(MINE_2),
    accepted: { 'claimed a2': 'buried 1 why a', 'buried 2 why a': 'buried 2 why a', 'dead 2': 'dead 2' },
  },
  'settle generation 1': {
    step: settle(1),
    accepted: { 'buried 1 why a': 'dead 1', 'buried 1 why nobody': 'dead 1', 'dead 1': 'dead 1' },
  },
  'release a1': {
    step: release(ME, 1),
    accepted: { 'claimed a1': 'claimed nobody1', 'claimed nobody1': 'claimed nobody1' },
  },
  'release a2': { step: release(ME, 2), accepted: { 'claimed a2': 'claimed nobody2' } },
}

/** The whole table, and how long its states last. */
export function describeStates(bench: StoreBench): void {
  describe.each(Object.entries(TRANSITIONS))('%s', (_, { step, accepted }) => {
    it.each(Object.entries(STATES))('from %s', async (before, steps) => {
      const claims = bench.claims()
      const ref = newRef()
      for (const enter of steps) expect((await enter(claims, ref)).accepted).toBe(true)
      expect(describeState(await one(claims.read([ref])))).toBe(before)

      const { accepted: isAccepted, current } = await step(claims, ref)
      expect({ isAccepted, after: describeState(current) }).toEqual({
        isAccepted: before in accepted,
        after: accepted[before] ?? before,
      })
      expect(await one(claims.read([ref]))).toEqual(current)
    })
  })

  describe('what a redrive goes through', () => {
    it('counts generations and attempts on through the claim', async () => {
      const claims = bench.claims()
      const ref = newRef()
      await bury('absent')(claims, ref)
      await settle(1)(claims, ref)
      expect(describeState((await claim(ME, { deadGeneration: 1 })(claims, ref)).current)).toBe('claimed a1')
      expect((await claim(ME, { deadGeneration: 1 })(claims, ref)).accepted).toBe(true)
      expect((await claim(OTHER, { deadGeneration: 1 })(claims, ref)).accepted).toBe(false)
      expect(describeState((await claim(OTHER, MINE)(claims, ref)).current)).toBe('claimed b2')
      expect((await release(OTHER, 2)(claims, ref)).accepted).toBe(true)
      expect(describeState((await claim(ME, { owner: '', attempt: 2 })(claims, ref)).current)).toBe('claimed a3')
      expect(describeState((await bury({ owner: ME, attempt: 3 })(claims, ref)).current)).toBe('buried 2 why a')
    })

    it('keeps a result that cannot be published, and a redrive finds it computed', async () => {
      const claims = bench.claims()
      const ref = newRef()
      const outputs = Buffer.from('outputs')
      const from = { computedBy: ME, attempt: 1 }
      await claims.compute([{ ...ref, owner: ME, attempt: 1, from: 'absent', position: POSITION, outputs }])
      expect((await one(claims.bury([{ ...ref, from: MINE, note: NOTE }]))).accepted).toBe(false)
      expect((await one(claims.bury([{ ...ref, from: { ...from, attempt: 2 }, note: NOTE }]))).accepted).toBe(false)
      for (let times = 1; times <= 2; times++) {
        const { accepted, current } = await one(claims.bury([{ ...ref, from, note: NOTE }]))
        expect({ accepted, after: describeState(current) }).toEqual({ accepted: true, after: 'buried 1 why a' })
      }
      expect((await claim(OTHER, { deadGeneration: 1 })(claims, ref)).accepted).toBe(false)
      for (let times = 1; times <= 2; times++)
        expect(describeState((await settle(1)(claims, ref)).current)).toBe('dead 1')
      const again = { state: 'computed', owner: OTHER, attempt: 2, position: POSITION, outputs }
      for (let times = 1; times <= 2; times++)
        expect(await claim(OTHER, { deadGeneration: 1 })(claims, ref)).toEqual({ accepted: true, current: again })
      expect(await one(claims.read([ref]))).toEqual(again)
      const { current } = await one(claims.bury([{ ...ref, from: { computedBy: OTHER, attempt: 2 }, note: NOTE }]))
      expect(describeState(current)).toBe('buried 2 why b')
    })

    it('does not take a redriven claim for a first one', async () => {
      const claims = bench.claims()
      const ref = newRef()
      await bury('absent')(claims, ref)
      await settle(1)(claims, ref)
      await claim(ME, { deadGeneration: 1 })(claims, ref)
      expect((await claim(ME, 'absent')(claims, ref)).accepted).toBe(false)
    })

    it('ends in computed like any other claim', async () => {
      const claims = bench.claims()
      const ref = newRef()
      await bury('absent')(claims, ref)
      await settle(1)(claims, ref)
      await claim(ME, { deadGeneration: 1 })(claims, ref)
      expect((await compute(ME, 1, MINE)(claims, ref)).accepted).toBe(true)
      expect(describeState(await one(claims.read([ref])))).toBe('computed a1 by instance-a.1')
    })
  })

  describe('how long a state is remembered', () => {
    it.each([
      ['done', STATES['done'] ?? []],
      ['handed', STATES['handed retry 1'] ?? []],
    ])('%s ends with dedupMs', async (state, steps) => {
      const claims = bench.claims({ dedupMs: 100 })
      const ref = newRef()
      for (const enter of steps) await enter(claims, ref)
      expect((await one(claims.read([ref]))).state).toBe(state)
      await waitFor(async () => (await one(claims.read([ref]))).state === 'absent', { what: `${state} to end` })
      expect((await claim(OTHER, 'absent')(claims, ref)).accepted).toBe(true)
    })

    it.each(['claimed a1', 'computed a1 by instance-a.1', 'dead 1'])('%s outlives dedupMs', async (state) => {
      const claims = bench.claims({ dedupMs: 50 })
      const [lasting, passing] = [newRef(), newRef()]
      for (const enter of STATES[state] ?? []) await enter(claims, lasting)
      for (const enter of STATES['done'] ?? []) await enter(claims, passing)
      await waitFor(async () => (await one(claims.read([passing]))).state === 'absent', { what: 'dedupMs to pass' })
      expect(describeState(await one(claims.read([lasting])))).toBe(state)
    })
  })
}
