/**
 * The round trip of a person at the console, in real Chromium: find the flow that stands still, read why, correct the event, confirm
 * with the token, see the flow complete. Once with the mouse, once with the keyboard alone.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBrowser, openPage, type WatchedPage } from '../../harness/browser.ts'
import { openConsoleWorld, type ConsoleWorld } from '../../harness/console-world.ts'
import { waitFor } from '../../harness/wait.ts'
import fragile from '../agents/fragile.ts'
import tally from '../agents/tally.ts'
import { TRIAL_CONTRACTS } from '../agents/trial.ts'

const TOKEN = 'an-operator-token-of-a-test'
const START_TIMEOUT_MS = 300_000

let browser: Browser
let world: ConsoleWorld
let url: string
let watched: WatchedPage

beforeAll(async () => {
  browser = await openBrowser()
  world = await openConsoleWorld({ contractsDir: TRIAL_CONTRACTS, agents: [fragile, tally], operatorToken: TOKEN })
  url = await world.listen()
  watched = await openPage(browser, url)
}, START_TIMEOUT_MS)
afterAll(async () => {
  await world.stop()
  await browser.close()
})

/** Begins a flow that ends as a dead letter. */
async function beginFailing(number: number): Promise<string> {
  const { flowId } = await world.publisher.publish('trial.begun' as never, { number, lane: `lane ${number}` } as never)
  await waitFor(async () => (await statusOf(flowId)) === 'failed', {
    timeoutMs: 30_000,
    what: `flow ${flowId} to fail`,
  })
  return flowId
}

async function statusOf(flowId: string): Promise<string> {
  const { flows } = (await world.app.inject({ url: `/api/flows?key=${flowId}` })).json<{
    flows: { status: string }[]
  }>()
  return flows[0]?.status ?? ''
}

async function confirm(page: Page, button: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Your name').fill('Ada')
  await dialog.getByLabel('Operator token').fill(TOKEN)
  await dialog.getByRole('button', { name: button }).click()
  await dialog.waitFor({ state: 'detached' })
}

it('finds a stuck flow, reads why, corrects the event, and sees it complete', async () => {
  const flowId = await beginFailing(1)
  const { page } = watched
  await page.goto(`${url}stuck`)
  await page.getByRole('link', { name: flowId.slice(0, 8) }).click()
  await page
    .getByRole('region', { name: 'What stands still' })
    .getByText('trial.fragile could not handle trial.begun')
    .waitFor()
  await page.getByRole('link', { name: 'Look at the dead letter' }).click()
  await page.getByRole('table').getByRole('link').first().click()
  await page.getByText('no odds here: 1').first().waitFor()
  await page.getByText('Nobody subscribes').waitFor({ state: 'detached' })
  await page.getByText('then trial.tally').waitFor()

  await page.getByRole('button', { name: 'Correct the event …' }).click()
  const editor = page.getByLabel('Corrected value')
  await editor.fill((await editor.inputValue()).replace('"number": 1', '"number": 2'))
  await page.getByRole('button', { name: 'Go on …' }).click()
  await confirm(page, 'Replace and run')

  await page.getByText('replaced', { exact: true }).first().waitFor()
  await page.getByRole('region', { name: 'Preview and history' }).getByText('Ada').waitFor()
  await page.getByRole('link', { name: flowId.slice(0, 8) }).click()
  await page.getByText('✓ completed').first().waitFor({ timeout: 20_000 })
  // Asked of a second console, which keeps its answers for a second.
  await waitFor(async () => (await statusOf(flowId)) === 'completed', { what: 'the flow to be completed' })
  expect(watched.complaints).toEqual([])
})

it('says what is wrong with a correction, a token, or a name, and does nothing', async () => {
  const flowId = await beginFailing(3)
  const { page, complaints } = await openPage(browser, `${url}dead-letters?flow=${flowId}`)
  await page.getByRole('table').getByRole('link').first().click()
  await page.getByRole('button', { name: 'Correct the event …' }).click()
  const editor = page.getByLabel('Corrected value')
  const value = await editor.inputValue()
  await editor.fill('{ "number": ')
  await page.getByRole('button', { name: 'Go on …' }).click()
  await page.getByText('This is not JSON').waitFor()
  await editor.fill(value.replace('"number": 3', '"number": "four"'))
  await page.getByRole('button', { name: 'Go on …' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Your name').fill('Ada')
  await dialog.getByLabel('Operator token').fill('not the token')
  await dialog.getByRole('button', { name: 'Replace and run' }).click()
  await dialog.getByText('LABAN_CONSOLE_TOKEN').waitFor()
  await dialog.getByLabel('Operator token').fill(TOKEN)
  await dialog.getByRole('button', { name: 'Replace and run' }).click()
  await dialog.getByText('LABAN_CONTRACT_VALIDATION').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(await statusOf(flowId)).toBe('failed')
  // The browser reports the two refusals; nothing else.
  expect(complaints.filter((text) => !/status of (401|422)/.test(text))).toEqual([])
})

it('needs nothing but the keyboard to find a failed flow and discard its dead letter', async () => {
  const flowId = await beginFailing(5)
  const { page } = watched
  await page.goto(url)
  await page.getByRole('heading', { level: 1 }).waitFor()
  const keys = new Keyboard(page)
  await page.keyboard.press('Tab')
  expect(await keys.focused()).toBe('Skip to content')
  await keys.tabTo('Dead letters')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
  const letter = page
    .getByRole('row')
    .filter({ hasText: flowId.slice(0, 8) })
    .getByRole('link')
    .first()
  await keys.tabTo((await letter.textContent()) ?? '')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: /could not handle/ }).waitFor()
  await keys.tabTo('Discard …')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await keys.tabTo('Reason')
  await page.keyboard.type('test data')
  for (const text of ['Ada', TOKEN]) {
    await page.keyboard.press('Tab')
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type(text)
  }
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByText('test data').first().waitFor()
})

/** The label of a field, the name or the text of anything else. As text, because tests know no browser's types. */
const FOCUSED = `(() => {
  const element = document.activeElement
  const label = element?.labels?.[0]?.textContent
  return (label ?? element?.getAttribute('aria-label') ?? element?.textContent ?? '').trim()
})()`

/** Goes from stop to stop as somebody without a mouse does. */
class Keyboard {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** What the focus is on, as it is read out. */
  focused(): Promise<string> {
    return this.#page.evaluate(FOCUSED)
  }

  async tabTo(name: string): Promise<void> {
    for (let stops = 0; stops < 80; stops++) {
      if ((await this.focused()) === name) return
      await this.#page.keyboard.press('Tab')
    }
    expect.fail(`Tab never came to "${name}"`)
  }
}
