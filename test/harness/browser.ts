/** Chromium for tests of the console. Everything that a page complains about is collected: a test that saw none of it has to say so. */
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { ensureBrowser } from '../../infra/stack/browser.ts'

/** A page, and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page
  /** Errors on the console, uncaught exceptions, broken policies, failed requests; those of `expected` left out. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** How the page is looked at. */
export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
}

/** Opens a browser; installs it on a machine that has none. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = await ensureBrowser()
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

/** Opens a page in a session of its own. */
export async function openPage(browser: Browser, url: string, options: PageOptions = {}): Promise<WatchedPage> {
  const { colorScheme = 'light', width = 1280, height = 800 } = options
  const context: BrowserContext = await browser.newContext({ viewport: { width, height }, colorScheme })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin)) complaints.push(`asks elsewhere: ${request.url()}`)
  })
  await page.goto(url)
  return { page, complaints, close: () => context.close() }
}

/** Serious and critical findings of axe on a page, once its colours have stopped changing. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(async () => {
    const { document, CSSTransition: Transition } = globalThis as unknown as {
      document: { getAnimations(): { finished: Promise<unknown> }[] }
      CSSTransition: new () => object
    }
    const running = document.getAnimations().filter((animation) => animation instanceof Transition)
    await Promise.allSettled(running.map(({ finished }) => finished))
  })
  // The policy of the page allows no script but its own; the protocol of the debugger is not bound by it.
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as {
      axe: {
        run(options: object): Promise<{
          violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
        }>
      }
    }
    return (await runner.run({ resultTypes: ['violations'] })).violations
  })
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.slice(0, 5).map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}
