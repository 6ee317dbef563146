/**
 * A flow of 100,000 events that fans out 2,000-fold, in real Chromium: it opens, is read by groups, and a dead letter among 50,000
 * handlings is the first thing that one comes upon. How fast: `npm run bench -- console`.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FlowView } from '../../../console/api.ts'
import { openBrowser, openPage } from '../../harness/browser.ts'
import { openConsoleWorld, type ConsoleWorld } from '../../harness/console-world.ts'
import { tellStory } from '../../harness/tell-story.ts'
import { fanOut } from '../../unit/tracing/large-flows.ts'
import fragile from '../agents/fragile.ts'
import { TRIAL_CONTRACTS } from '../agents/trial.ts'

const START_TIMEOUT_MS = 300_000
const MAX_ANSWER_BYTES = 100_000
const story = fanOut(2_000, 25)

let browser: Browser
let world: ConsoleWorld
let url: string

beforeAll(async () => {
  browser = await openBrowser()
  world = await openConsoleWorld({ contractsDir: TRIAL_CONTRACTS, agents: [fragile] })
  await tellStory(world.stack, story)
  url = await world.listen()
}, START_TIMEOUT_MS)
afterAll(async () => {
  await world.stop()
  await browser.close()
})

it('is never sent whole', async () => {
  const { body } = await world.app.inject({ url: `/api/flows/${story.flowId}` })
  const flow = JSON.parse(body) as FlowView
  expect(flow.events).toBeGreaterThan(100_000)
  expect(flow.graph).toBeNull()
  expect(body.length).toBeLessThan(MAX_ANSWER_BYTES)
})

it('opens as a drawing of groups, whose members are read page by page, those that failed first', async () => {
  const { page, complaints, close } = await openPage(browser, `${url}flows/${story.flowId}`)
  try {
    const worker = page.getByRole('button', { name: /^batch\.worker ?, handlings, 2,000 completed/ })
    await worker.waitFor()
    await page.getByText('2,000 handlings').waitFor()
    await page.getByRole('button', { name: /^batch\.checker/ }).focus()
    await page.keyboard.press('Enter')
    const panel = page.getByRole('complementary', { name: 'batch.checker' })
    await panel.getByText('1 to 50 of 50,000').waitFor()
    const first = panel.getByRole('listitem').first()
    await first.getByText('LABAN_HANDLER_REJECTED').waitFor()
    await first.getByRole('group').locator('summary').click()
    await first.getByRole('link', { name: 'Open the dead letter' }).waitFor()
    await panel.getByRole('button', { name: 'Next' }).click()
    await panel.getByText('51 to 100 of 50,000').waitFor()
    await page.getByRole('button', { name: 'Table' }).click()
    await page.getByRole('row').filter({ hasText: 'batch.checker' }).getByText('50,000').waitFor()
    expect(complaints).toEqual([])
  } finally {
    await close()
  }
})
