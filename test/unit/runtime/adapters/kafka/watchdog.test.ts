import { afterEach, describe, expect, it } from 'vitest'
import { Watchdog } from '../../../../../runtime/adapters/kafka/watchdog.ts'
import { createSkippingClock } from '../../../../harness/skipping-clock.ts'
import { waitFor } from '../../../../harness/wait.ts'

describe('Watchdog', () => {
  const clock = createSkippingClock()
  const silences: number[] = []
  const quiet: boolean[] = []
  let watchdog: Watchdog | undefined
  afterEach(() => {
    watchdog?.stop()
    silences.length = 0
    quiet.length = 0
  })

  function watch(isJoining: boolean): Watchdog {
    const calls = {
      onSilence: (ms: number) => void silences.push(ms),
      onQuiet: (isQuiet: boolean) => void quiet.push(isQuiet),
    }
    watchdog = new Watchdog(clock, { quietMs: 5_000, silentMs: 20_000, joiningMs: 40_000 }, calls)
    watchdog.joining(isJoining)
    return watchdog
  }

  /** Passes time in steps short enough for the dog to look in each of them. */
  async function pass(seconds: number, each: () => void = () => undefined): Promise<void> {
    for (let step = 0; step < seconds; step += 2.5) {
      clock.skip(2_501)
      each()
      let hasTicked = false
      clock.after(0, () => (hasTicked = true))
      await waitFor(() => hasTicked)
    }
  }

  it('calls once after two sessions without a sign', async () => {
    watch(false)
    await pass(15)
    expect(silences).toEqual([])
    await pass(30)
    expect(silences).toHaveLength(1)
  })

  it('is quiet as long as there are signs', async () => {
    const dog = watch(false)
    await pass(100, () => dog.sign())
    expect(silences).toEqual([])
  })

  it('gives a join more time', async () => {
    watch(true)
    await pass(35)
    expect(silences).toEqual([])
    await pass(15)
    expect(silences).toHaveLength(1)
  })

  it('excuses a process that stood still itself', async () => {
    watch(false)
    await pass(10)
    clock.skip(60_000)
    await pass(5)
    expect(silences).toEqual([])
    await pass(40)
    expect(silences).toHaveLength(1)
  })

  it('says that no broker answers although the consumer tries, and that one answers again', async () => {
    const dog = watch(false)
    await pass(10, () => dog.sign())
    expect(quiet).toEqual([true])
    dog.answered()
    dog.answered()
    expect(quiet).toEqual([true, false])
    expect(silences).toEqual([])
  })

  it('expects no answer while the group forms', async () => {
    const dog = watch(true)
    await pass(20)
    expect(quiet).toEqual([])
    dog.joining(false)
    await pass(10, () => dog.sign())
    expect(quiet).toEqual([true])
  })
})
