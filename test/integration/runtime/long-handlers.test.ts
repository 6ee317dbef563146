/**
 * Handlers that take longer than the session time-out, through processes that join and leave: none runs twice, and other keys of
 * their partitions do not wait for them. `npm run bench -- long` is the same with minutes and a thousand handlers.
 */
import { expect, it } from 'vitest'
import { LongTrial } from '../../../bench/long/trial.ts'
import { waitFor } from '../../harness/wait.ts'

const SESSION_MS = 3_000
const HANDLER_MS = 9_000

it('lets handlers of three sessions end once while processes join and leave, and other keys go on', async () => {
  const trial = await LongTrial.make({ partitions: 4, sessionMs: SESSION_MS })
  try {
    const [first, second] = [trial.start(), trial.start()]
    await Promise.all([first.ready, second.ready])
    const stopAsking = trial.askQuickly(10)
    await trial.ask(40, HANDLER_MS)
    await waitFor(() => trial.counts().runs >= 40, { timeoutMs: 10_000, what: 'the long handlers to begin' })
    const third = trial.start()
    await third.ready
    const drainMs = first.stop()
    const settled = async (): Promise<boolean> => (await trial.lag()).records === 0
    await drainMs
    await stopAsking()
    await waitFor(settled, { timeoutMs: 30_000, what: 'everything to be handled and committed' })
    const { repeated, runs, quickLatenciesMs } = trial.counts()
    expect({ repeated, runs, answers: await trial.answers() }).toEqual({
      ...{ repeated: 0, runs: trial.asked, answers: trial.asked },
    })
    // Waiting for a handler, or for the process that drains, would take most of a handler's time.
    expect(quickLatenciesMs.at(-1)).toBeLessThan(HANDLER_MS / 2)
    expect(quickLatenciesMs.length).toBeGreaterThan(5)
    await Promise.all([second.stop(), third.stop()])
  } finally {
    await trial.close()
  }
}, 60_000)
