/** Single requests in batches: what shares a round trip, what waits, and what ends the waiting. */
import { describe, expect, it } from 'vitest'
import { LabanError } from '../../../../contracts/errors.ts'
import { Coalescer } from '../../../../runtime/admit/coalescer.ts'
import { createManualClock } from '../../../harness/manual-clock.ts'
import { waitFor } from '../../../harness/wait.ts'

const away = (): LabanError => new LabanError('LABAN_STORE_UNAVAILABLE', { url: 'test', problem: 'away' })

/** A coalescer over a store that answers with ten times the request once the test lets it. */
function rig(options: { maxBatch?: number } = {}) {
  const clock = createManualClock()
  const stop = new AbortController()
  const batches: number[][] = []
  const waiting: { resolve: (answers: number[]) => void; reject: (error: unknown) => void }[] = []
  const availability: boolean[] = []
  const coalescer = new Coalescer<number, number>({
    call: (requests) => {
      batches.push([...requests])
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    clock,
    maxBatch: options.maxBatch ?? 100,
    onAvailability: (isAvailable) => availability.push(isAvailable),
    signal: stop.signal,
  })
  const next = () => waitFor(() => waiting.shift(), { what: 'a call' })
  return {
    ...{ coalescer, clock, stop, batches, availability },
    answer: async () => (await next()).resolve((batches.at(-1) ?? []).map((request) => request * 10)),
    refuse: async (error: unknown) => (await next()).reject(error),
  }
}

describe('a coalescer', () => {
  it('asks for everything of one turn at once and gives each its own answer', async () => {
    const { coalescer, batches, answer } = rig()
    const answers = [1, 2, 3].map((request) => coalescer.ask(request))
    await answer()
    expect(await Promise.all(answers)).toEqual([10, 20, 30])
    expect(batches).toEqual([[1, 2, 3]])
  })

  it('gathers what is asked while a call is under way into the next one', async () => {
    const { coalescer, batches, answer } = rig()
    const first = coalescer.ask(1)
    await waitFor(() => batches.length === 1)
    const rest = [coalescer.ask(2), coalescer.ask(3)]
    await answer()
    await first
    await answer()
    expect(await Promise.all(rest)).toEqual([20, 30])
    expect(batches).toEqual([[1], [2, 3]])
  })

  it('makes no batch larger than it may be, and keeps the order', async () => {
    const { coalescer, batches, answer } = rig({ maxBatch: 2 })
    const answers = [1, 2, 3, 4, 5].map((request) => coalescer.ask(request))
    for (let call = 0; call < 3; call++) await answer()
    expect(await Promise.all(answers)).toEqual([10, 20, 30, 40, 50])
    expect(batches).toEqual([[1, 2], [3, 4], [5]])
  })

  it('asks again until the store answers, and says once that it is away and once that it is back', async () => {
    const { coalescer, clock, batches, availability, answer, refuse } = rig()
    const asked = coalescer.ask(1)
    for (let failure = 0; failure < 4; failure++) {
      await refuse(away())
      await clock.advance(5_000)
    }
    await answer()
    expect(await asked).toBe(10)
    expect(batches).toHaveLength(5)
    expect(availability).toEqual([false, true])
    expect(clock.pending).toBe(0)
  })

  it('waits longer after each failure, two seconds at most', async () => {
    const { coalescer, clock, batches, refuse } = rig()
    void coalescer.ask(1).catch(() => undefined)
    const waitsMs: number[] = []
    for (let failure = 0; failure < 8; failure++) {
      await refuse(away())
      const before = batches.length
      let waitedMs = 0
      while (batches.length === before && waitedMs < 10_000) {
        await clock.advance(25)
        waitedMs += 25
      }
      waitsMs.push(waitedMs)
    }
    expect(waitsMs).toEqual(waitsMs.toSorted((a, b) => a - b))
    expect(waitsMs[0]).toBeLessThanOrEqual(50)
    expect(waitsMs.at(-1)).toBeLessThanOrEqual(2_000)
  })

  it('passes an error that repeating cannot mend to those who asked, and goes on', async () => {
    const { coalescer, answer, refuse } = rig()
    const refused = [coalescer.ask(1), coalescer.ask(2)]
    await refuse(new LabanError('LABAN_FORMAT_TOO_NEW', { what: 'a claim', found: 2, known: 1 }))
    const results = await Promise.allSettled(refused)
    expect(results).toMatchObject([{ reason: { code: 'LABAN_FORMAT_TOO_NEW' } }, { status: 'rejected' }])
    const next = coalescer.ask(3)
    await answer()
    expect(await next).toBe(30)
  })

  it.each(['between two tries', 'while a call never answers'])('ends at shutdown %s', async (when) => {
    const { coalescer, clock, stop, refuse, batches } = rig()
    const asked = [coalescer.ask(1)]
    if (when === 'between two tries') await refuse(away())
    else await waitFor(() => batches.length === 1)
    asked.push(coalescer.ask(2))
    stop.abort()
    for (const result of await Promise.allSettled(asked))
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'LABAN_SHUTDOWN' } })
    expect(clock.pending).toBe(0)
  })
})
