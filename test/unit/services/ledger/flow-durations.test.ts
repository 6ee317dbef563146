/** How long flows take is counted once for each, by whoever writes the line that says they have ended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryBroker } from '../../../../runtime/adapters/memory/broker.ts'
import { openPgliteDatabase } from '../../../../runtime/adapters/pglite/database.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'
import type { Ledger } from '../../../../services/ledger/index.ts'
import { ledgerScene, type LedgerScene } from '../../../harness/ledger-scene.ts'

const FLOWS = 12
const HOUR_MS = 3_600_000

let scene: LedgerScene
beforeAll(async () => {
  scene = await ledgerScene(createMemoryBroker({ clock: systemClock }), await openPgliteDatabase(), 'durations')
  await scene.announce(scene.manifests)
}, 60_000)
afterAll(() => scene.close(), 60_000)

/** Flows that these instances have counted, by topic and status. */
async function counted(...ledgers: Ledger[]): Promise<Readonly<Record<string, number>>> {
  const sums: Record<string, number> = {}
  for (const ledger of ledgers) {
    for (const { labels, count } of (await ledger.metrics()).histograms.get('laban.flow.duration') ?? []) {
      const key = `${labels['topic'] ?? ''} ${labels['status'] ?? ''}`
      sums[key] = (sums[key] ?? 0) + count
    }
  }
  return sums
}

const COMPLETED = 'credit.application-received completed'

describe('the duration of a flow', () => {
  it('is not counted long after the end, as when a ledger is built anew', async () => {
    const late = await scene.start({ clock: { ...systemClock, nowMs: () => systemClock.nowMs() + HOUR_MS } })
    await scene.append(scene.flows(FLOWS, 'late').flat())
    await scene.untilCaughtUp()
    expect(await counted(late)).toEqual({})
    await late.stop()
    expect((await scene.ledger.search({ status: 'completed' })).total).toBe(FLOWS)
  })

  it('is counted when it has ended: once by two instances, not again for what comes later, nor after a restart', async () => {
    const flows = scene.flows(FLOWS, 'ended')
    const [first, second] = [await scene.start(), await scene.start()]
    await scene.append(flows.flatMap((facts, index) => (index % 2 === 0 ? facts : facts.slice(0, 4))))
    await scene.untilCaughtUp()
    expect(await counted(first, second)).toEqual({ [COMPLETED]: FLOWS / 2 })
    await scene.append(flows.flatMap((facts, index) => (index % 2 === 0 ? facts.slice(-1) : facts.slice(4))))
    await scene.untilCaughtUp()
    expect(await counted(first, second)).toEqual({ [COMPLETED]: FLOWS })
    await first.stop()
    const third = await scene.start()
    await scene.append(flows.flatMap((facts) => facts.slice(-1)))
    await scene.untilCaughtUp()
    expect(await counted(first, second, third)).toEqual({ [COMPLETED]: FLOWS })
  })
})
