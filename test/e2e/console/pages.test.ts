/** Every page of the console in real Chromium, light and dark: nothing complains, nothing is loaded from elsewhere, axe finds nothing serious. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessibilityFaults, openBrowser, openPage, type WatchedPage } from '../../harness/browser.ts'
import { openConsoleWorld, type ConsoleWorld } from '../../harness/console-world.ts'
import { waitFor } from '../../harness/wait.ts'
import { TRIAL_CONTRACTS } from '../agents/trial.ts'
import fragile from '../agents/fragile.ts'
import tally from '../agents/tally.ts'

const START_TIMEOUT_MS = 300_000

let browser: Browser
let world: ConsoleWorld
let watched: WatchedPage
let url: string
const flows: { good: string; bad: string; place: string } = { good: '', bad: '', place: '' }

beforeAll(async () => {
  browser = await openBrowser()
  world = await openConsoleWorld({ contractsDir: TRIAL_CONTRACTS, agents: [fragile, tally] })
  url = await world.listen()
  watched = await openPage(browser, url)
  const publish = async (number: number): Promise<string> => {
    const { flowId } = await world.publisher.publish('trial.begun' as never, { number, lane: 'a' } as never)
    return flowId
  }
  flows.good = await publish(2)
  flows.bad = await publish(1)
  flows.place = await waitFor(
    async () => {
      const { groups } = (await world.app.inject({ url: '/api/dead-letters' })).json<{
        groups: { letters: { place: string }[] }[]
      }>()
      return groups[0]?.letters[0]?.place
    },
    { timeoutMs: 20_000, what: 'a dead letter' },
  )
}, START_TIMEOUT_MS)
afterAll(async () => {
  await world.stop()
  await browser.close()
})

const PAGES: readonly (readonly [name: string, path: () => string, heading: RegExp])[] = [
  ['topology', () => '', /Topology/],
  ['topology as a table', () => '?view=table', /Topology/],
  ['flows', () => 'flows', /Flows/],
  ['a flow', () => `flows/${flows.good}`, /Flow/],
  ['a failed flow over time', () => `flows/${flows.bad}?view=waterfall`, /Flow/],
  ['a failed flow as a table', () => `flows/${flows.bad}?view=table`, /Flow/],
  ['stuck work', () => 'stuck', /Stuck work/],
  ['dead letters', () => 'dead-letters', /Dead letters/],
  ['a dead letter', () => `dead-letters/trial.fragile?place=${encodeURIComponent(flows.place)}`, /could not handle/],
  ['agents', () => 'agents', /Agents/],
  ['contracts', () => 'contracts', /Contracts/],
  ['a contract', () => 'contracts/trial.begun', /trial.begun/],
]

it.each(PAGES)('%s', async (_name, path, heading) => {
  await watched.page.goto(url + path())
  await watched.page.getByRole('heading', { level: 1, name: heading }).waitFor()
  await watched.page.getByText(/^Loading/).waitFor({ state: 'detached' })
  // The same page in both colours: nothing but custom properties differs.
  for (const colorScheme of ['light', 'dark'] as const) {
    await watched.page.emulateMedia({ colorScheme })
    expect(await accessibilityFaults(watched.page), colorScheme).toEqual([])
  }
  expect(watched.complaints).toEqual([])
})

it('draws within its frame in a narrow window', async () => {
  const { page, complaints, close } = await openPage(browser, url, { width: 860 })
  try {
    const frame = page.getByRole('region', { name: 'Agents and topics' })
    await frame.getByRole('button', { name: /^trial\.fragile/ }).waitFor()
    const outside = async (selector: string): Promise<number> => {
      const within = await frame.boundingBox()
      const boxes = await Promise.all((await frame.locator(selector).all()).map((each) => each.boundingBox()))
      expect(boxes.length).toBeGreaterThan(2)
      return boxes.filter((box) => !isWithin(box, within)).length
    }
    for (const selector of ['.react-flow__node', '.react-flow__edge-path'])
      await waitFor(async () => (await outside(selector)) === 0, { what: `every ${selector} to be in the frame` })
    expect(await page.getByText('flows from the log').isVisible()).toBe(true)
    expect(complaints).toEqual([])
  } finally {
    await close()
  }
})

type Box = Awaited<ReturnType<ReturnType<WatchedPage['page']['locator']>['boundingBox']>>

function isWithin(inner: Box, outer: Box): boolean {
  if (inner === null || outer === null) return false
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  )
}
