/**
 * `npm run chaos` in miniature, on the servers that all tests share, so that only agents are harmed: killed, frozen and restarted under
 * a load with steps, an effect and random results. Judged from the log alone, by the checker of the long runs.
 */
import { afterAll, expect, it } from 'vitest'
import { longLoad } from '../chaos/load/choreographies.ts'
import { openOutsideWorld } from '../chaos/load/outside-world.ts'
import { feed } from '../chaos/scene/feed.ts'
import { Fleet } from '../chaos/scene/fleet.ts'
import { lookNowAndThen, Stage, untilQuiet } from '../chaos/scene/stage.ts'
import { realServers } from '../harness/processes.ts'
import { waitFor } from '../harness/wait.ts'

const FLOWS = 60
const LONGEST_HANDLER_MS = 2_000
const FEED_MS = 5_000
const PATIENCE_MS = 60_000
/** Shorter than usual: the test is not about waiting. */
const QUICK = {
  LABAN_LEASE_MS: '3000',
  LABAN_KAFKA_SESSION_TIMEOUT_MS: '3000',
  LABAN_KAFKA_HEARTBEAT_INTERVAL_MS: '500',
}

/** Ended after the test, also when it took too long. */
const closing = new AsyncDisposableStack()

afterAll(() => closing.disposeAsync(), 90_000)

it(
  'loses nothing and does nothing twice while processes are killed, frozen and restarted',
  { timeout: 180_000 },
  async () => {
    const world = closing.adopt(await openOutsideWorld(), (open) => open.close())
    const plan = { load: longLoad(LONGEST_HANDLER_MS), flows: FLOWS, worldUrl: world.url, env: QUICK }
    const stage = closing.adopt(await Stage.open({ ...plan, servers: await realServers() }), (open) => open.close())
    const [answerer, otherAnswerer, filer] = [0, 1, 2]
    const fleet = new Fleet(stage.places(), () => undefined)
    await fleet.ready()
    const { signal } = new AbortController()
    const hasBegun = (): boolean => world.calls.some(({ what }) => what === 'model')
    await Promise.all([
      feed({ stage, seed: 1, overMs: FEED_MS, signal }),
      lookNowAndThen([stage], FEED_MS, signal),
      waitFor(hasBegun, { timeoutMs: PATIENCE_MS, what: 'a handler at work' }).then(() =>
        Promise.all([fleet.kill(answerer, 0), fleet.freeze(otherAnswerer, 500), fleet.restart(filer)]),
      ),
    ])
    const behind = await untilQuiet([stage], PATIENCE_MS)
    await fleet.close()
    const { interruptions, kills } = fleet
    const judged = await stage.judge({ calls: world.calls, interruptions }, { kills, outages: [] }, behind.flat())
    expect(judged.behind).toEqual([])
    expect(judged.violations).toEqual([])
    expect(kills).toHaveLength(1)
    expect(judged.figures.outcomes.get('published')).toBe(FLOWS)
    expect(judged.figures.steps.get('charge')?.applied).toBe(FLOWS)
  },
)
