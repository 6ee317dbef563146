/** Parking: what may run, what waits, what comes next, and that a lost index says so. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { ParkingAnswer, ParkingCall, ParkingStore } from '../../runtime/ports/parking-store.ts'
import { uniqueName } from '../harness/unique-name.ts'
import type { StoreBench } from './store-bench.ts'

const AT = { topic: 't.one', partition: 3 }
const KEY = Buffer.from([0x6b, 0x00, 0xff])

export function describeParking(bench: StoreBench): void {
  describe('parking', () => {
    let mine: ParkingStore
    let theirs: ParkingStore
    const ask = (op: 'block' | 'admit' | 'leave', offset: number, key = KEY): Promise<ParkingAnswer> =>
      mine.ask({ ...AT, key, offset, op } satisfies ParkingCall)
    const store = (offset: number, parkedOffset: number): Promise<ParkingAnswer> =>
      theirs.ask({ ...AT, key: KEY, offset, op: 'store', parkedOffset })

    beforeEach(async () => {
      const agent = uniqueName('parking')
      mine = bench.mine.parkingOf(agent)
      theirs = bench.others.parkingOf(agent)
    })

    it('says that there is no index until it is filled, once', async () => {
      expect(await mine.keys(AT)).toBeUndefined()
      expect(await ask('admit', 1)).toEqual({ result: 'lost' })
      await theirs.fill(AT, [
        { key: KEY, offset: 10 },
        { key: KEY, offset: 11, parkedOffset: 5 },
      ])
      await mine.fill(AT, [{ key: Buffer.from('other'), offset: 1 }])
      expect(await mine.keys(AT)).toEqual([KEY])
      expect(await mine.keys({ ...AT, partition: 4 })).toBeUndefined()
      expect(await ask('leave', 10)).toEqual({ result: 'done', next: { offset: 11, parkedOffset: 5 } })
      expect(await ask('leave', 11)).toEqual({ result: 'done' })
      expect(await mine.keys(AT)).toEqual([])
    })

    it('restores any number of entries, all or none', async () => {
      const COUNT = 2_500
      await mine.fill(
        AT,
        Array.from({ length: COUNT }, (_, offset) => ({
          key: KEY,
          offset,
          ...(offset > 0 ? { parkedOffset: offset } : {}),
        })),
      )
      for (const offset of [0, 999, 1_000, 1_001]) await ask('leave', offset)
      expect(await ask('leave', 1)).toEqual({ result: 'done', next: { offset: 2, parkedOffset: 2 } })
      const last = COUNT - 1
      expect(await ask('admit', last)).toEqual({ result: 'park' })
      for (let offset = 2; offset < last; offset += 500)
        await Promise.all(Array.from({ length: Math.min(500, last - offset) }, (_, at) => ask('leave', offset + at)))
      expect(await ask('admit', last + 1)).toEqual({ result: 'park' })
      expect(await ask('leave', last - 1)).toEqual({ result: 'done', next: { offset: last, parkedOffset: last } })
    })

    it('lets successors of a failed event wait, in the order of their offsets, until the last has left', async () => {
      await mine.fill(AT, [])
      expect(await ask('admit', 1)).toEqual({ result: 'free' })
      expect(await ask('block', 1)).toEqual({ result: 'done' })
      expect(await ask('admit', 20)).toEqual({ result: 'park' })
      expect(await ask('admit', 3)).toEqual({ result: 'park' })
      expect(await ask('admit', 2, Buffer.from('other'))).toEqual({ result: 'free' })
      expect(await store(20, 7)).toEqual({ result: 'done' })
      expect(await store(3, 8)).toEqual({ result: 'done' })
      expect(await ask('leave', 1)).toEqual({ result: 'done', next: { offset: 3, parkedOffset: 8 } })
      expect(await ask('admit', 21)).toEqual({ result: 'park' })
      expect(await ask('leave', 3)).toEqual({ result: 'done', next: { offset: 20, parkedOffset: 7 } })
      expect(await ask('leave', 20)).toEqual({ result: 'done' })
      expect(await store(21, 9)).toEqual({ result: 'done', next: { offset: 21, parkedOffset: 9 } })
      expect(await ask('leave', 21)).toEqual({ result: 'done' })
      expect(await ask('admit', 22)).toEqual({ result: 'free' })
    })

    it('gives the turn to one that was admitted but never stored; a repeated call changes nothing', async () => {
      await mine.fill(AT, [])
      await ask('block', 1)
      await ask('block', 1)
      expect(await ask('admit', 2)).toEqual({ result: 'park' })
      expect(await ask('leave', 1)).toEqual({ result: 'done' })
      expect(await ask('leave', 1)).toEqual({ result: 'done' })
      expect(await ask('admit', 2)).toEqual({ result: 'turn' })
      await store(2, 4)
      expect(await store(2, 6)).toEqual({ result: 'done', next: { offset: 2, parkedOffset: 6 } })
      expect(await ask('admit', 2)).toEqual({ result: 'park' })
    })
  })
}
