import { afterEach, describe, expect, it } from 'vitest'
import { Watchdog } from '../../../../../runtime/adapters/kafka/watchdog.ts'
import { createSkippingClock } from '../../../../harness/skipping-clock.ts'
import { waitFor } from '../../../../harness/wait.ts'

describe('Watchdog', () => {
  const clock = createSkippingClock()
  const silences: number[] = []
  let watchdog: Watchdog | undefined
  afterEach(() => {
    watchdog?.stop()
    silences.length = 0
  })

  function watch(isJoining: boolean): Watchdog {
    watchdog = new Watchdog(clock, { silentMs: 20_000, joiningMs: 40_000 }, (ms) => silences.push(ms))
    watchdog.joining(isJoining)
    return watchdog
  }

  /** Passes time in steps short enough for the dog to look in each of them. */
  async function pass(seconds: number, each: () => void = () => undefined): Promise<void> {
    for (let step = 0; step < seconds; step += 5) {
      clock.skip(5_001)
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
})
