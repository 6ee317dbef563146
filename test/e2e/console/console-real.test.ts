/**
 * The console as an operator runs it: a process of its own on the real servers, before a ledger on PostgreSQL, looked at in Chromium.
 * It was started before the ledger, which it finds; and it goes on from the log while PostgreSQL is away.
 */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { About, DeadLetterList, FlowList, Topology } from '../../../console/api.ts'
import { createPostgresDatabase } from '../../../runtime/adapters/postgres/database.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { defaultSchema, dropTables, ledgerTables } from '../../../services/ledger/index.ts'
import { openBrowser, openPage, type WatchedPage } from '../../harness/browser.ts'
import { Deployment, type AgentProcess } from '../../harness/processes.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import type { Running } from '../../harness/run-laban.ts'
import { TcpProxy } from '../../harness/tcp-proxy.ts'
import { waitFor } from '../../harness/wait.ts'
import { TRIAL_CONTRACTS } from '../agents/trial.ts'

const FRAGILE = join(import.meta.dirname, '..', 'agents', 'fragile.ts')
const TALLY = join(import.meta.dirname, '..', 'agents', 'tally.ts')
const TOKEN = 'an-operator-token-of-a-test'
const START_TIMEOUT_MS = 180_000
const TEST_TIMEOUT_MS = 60_000
const PATIENCE = { timeoutMs: 20_000 }

let browser: Browser
let postgres: TcpProxy
let deployment: Deployment
let tally: AgentProcess
let ledger: AgentProcess
let running: Running
let url: string
/** Without a token. */
let readOnlyUrl: string
let watched: WatchedPage

beforeAll(async () => {
  postgres = await TcpProxy.start(await stackAddress('postgresUrl'))
  deployment = await Deployment.make('console-real', {
    agents: [FRAGILE, TALLY],
    contractsDir: TRIAL_CONTRACTS,
    env: { LABAN_LEDGER_URL: postgres.url },
  })
  const [console, readOnly, opened] = await Promise.all([
    deployment.startConsole({ LABAN_CONSOLE_OPERATOR_TOKEN: TOKEN }),
    deployment.startConsole(),
    openBrowser(),
  ])
  ;({ url, running } = console)
  readOnlyUrl = readOnly.url
  browser = opened
  tally = deployment.start([TALLY])
  ledger = deployment.startLedger()
  await Promise.all([tally, ledger, deployment.start([FRAGILE])].map(({ ready }) => ready))
  watched = await openPage(browser, url)
}, START_TIMEOUT_MS)
afterAll(async () => {
  await browser.close()
  await deployment.stop()
  const database = createPostgresDatabase({ url: await stackAddress('postgresUrl'), logger: silentLogger })
  await dropTables(database, ledgerTables(defaultSchema(deployment.namespace)))
  await database.close()
  await postgres.refuse()
}, START_TIMEOUT_MS)

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(url + path)
  expect(response.status, path).toBe(200)
  return (await response.json()) as T
}

/** Publishes first events of these numbers and gives their flow ids. */
async function publish(...numbers: number[]): Promise<readonly string[]> {
  const ids = numbers.map(() => crypto.randomUUID())
  const rows = numbers.map((number, index) => JSON.stringify({ id: ids[index], number, lane: `lane ${number}` }))
  const args = ['publish', 'trial.begun', '--file', '-', '--id', 'id', '--on', 'kafka']
  const { code, stderr } = await deployment.laban(args, { input: rows.join('\n') })
  expect(code, stderr).toBe(0)
  return ids
}

function untilStatus(flowId: string, status: string): Promise<unknown> {
  const isThere = async (): Promise<boolean> => {
    const { flows } = await ask<FlowList>(`api/flows?key=${flowId}`)
    return flows[0]?.status === status
  }
  return waitFor(isThere, { ...PATIENCE, what: `flow ${flowId} to be ${status}` })
}

function untilReadsFrom(place: About['readsFrom']): Promise<unknown> {
  const isSo = async (): Promise<boolean> => {
    // Only whoever asks for flows notices where they come from.
    await ask<FlowList>('api/flows?limit=1')
    return (await ask<About>('api/about')).readsFrom === place
  }
  return waitFor(isSo, { ...PATIENCE, what: `flows to come from the ${place}` })
}

async function search(page: Page, query: string): Promise<void> {
  await page.goto(`${url}flows?${query}`)
  await page.getByRole('heading', { level: 1, name: 'Flows' }).waitFor()
  await page.getByText(/^Loading/).waitFor({ state: 'detached' })
}

it(
  'reads from a ledger that was started after it, from the log while that is away, and from the ledger again',
  async () => {
    const [flowId = ''] = await publish(2)
    await untilReadsFrom('ledger')
    await untilStatus(flowId, 'completed')
    await postgres.refuse()
    await untilReadsFrom('log')
    await untilStatus(flowId, 'completed')
    await watched.page.goto(`${url}flows/${flowId}`)
    await watched.page.getByText('✓ completed').first().waitFor()
    await postgres.accept()
    await untilReadsFrom('ledger')
    await untilStatus(flowId, 'completed')
  },
  TEST_TIMEOUT_MS,
)

it(
  'shows how fast agents are, who is behind because nobody runs it, and that it has caught up',
  async () => {
    const { page } = watched
    await page.goto(`${url}?view=table&stopped=true`)
    const rowOf = (agent: string) => page.getByRole('row').filter({ hasText: agent }).first()
    await rowOf('trial.tally').getByText('running').waitFor()
    await tally.end('SIGTERM')
    await publish(4, 6, 8)
    await rowOf('trial.fragile')
      .getByText(/[1-9]\d*\.?\d*\/s/)
      .waitFor()
    await rowOf('trial.tally').getByText('stopped').waitFor()
    await page.getByText('3 events to go').waitFor()
    const { agents } = await ask<Topology>('api/topology')
    expect(agents.find(({ name }) => name === 'trial.tally')).toMatchObject({ lag: 3, state: 'stopped' })
    await page.goto(`${url}stuck`)
    await page
      .getByRole('region', { name: /trial\.tally/ })
      .getByText('3 flows')
      .waitFor()
    tally = deployment.start([TALLY])
    await page.goto(url)
    await page.getByText('nobody is behind').waitFor()
    expect(watched.complaints).toEqual([])
  },
  TEST_TIMEOUT_MS,
)

it(
  'has a ledger that counts how long flows take, for Prometheus and for laban top',
  async () => {
    const [flowId = ''] = await publish(12)
    await untilStatus(flowId, 'completed')
    const scrape = async (): Promise<boolean> => {
      const text = await (await fetch(`http://${ledger.address()}/metrics`)).text()
      return /laban_flow_duration_seconds_count\{topic="trial.begun",status="completed"\} [1-9]/.test(text)
    }
    await waitFor(scrape, { ...PATIENCE, what: 'the flow to be counted' })
    const { stdout, stderr } = await deployment.laban(['top', '--json', '--every', '1', '--on', 'kafka'])
    const { flows } = JSON.parse(stdout) as { flows: { completed: number; p50Ms: number } }
    expect(flows.completed, stderr).toBeGreaterThan(0)
    expect(flows.p50Ms).toBeGreaterThan(0)
  },
  TEST_TIMEOUT_MS,
)

it(
  'finds a flow that stands still, says why, refuses a wrong token, corrects the event, and sees the flow complete',
  async () => {
    const [flowId = ''] = await publish(1)
    await untilStatus(flowId, 'failed')
    const { page } = watched
    const link = page.getByRole('table').getByRole('link', { name: flowId.slice(0, 8) })
    for (const query of [
      `key=${flowId.slice(0, 13)}`,
      'status=failed',
      'agent=trial.fragile',
      'error=LABAN_ATTEMPTS_EXHAUSTED',
    ]) {
      await search(page, query)
      await link.waitFor()
    }
    await search(page, 'status=stuck')
    expect(await link.count()).toBe(0)

    await page.goto(`${url}stuck`)
    await page.getByRole('link', { name: flowId.slice(0, 8) }).click()
    await page.getByRole('region', { name: 'What stands still' }).getByText('trial.fragile could not handle').waitFor()
    await page.getByRole('button', { name: /^trial\.fragile ?, / }).waitFor()
    await page.getByRole('link', { name: 'Look at the dead letter' }).click()
    await page.getByRole('table').getByRole('link').first().click()
    await page.getByText('then trial.tally').waitFor()
    await page.getByRole('button', { name: 'Correct the event …' }).click()
    const editor = page.getByLabel('Corrected value')
    await editor.fill((await editor.inputValue()).replace('"number": 1', '"number": 10'))
    await page.getByRole('button', { name: 'Go on …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Your name').fill('Ada')
    await dialog.getByLabel('Operator token').fill('not the token at all')
    await dialog.getByRole('button', { name: 'Replace and run' }).click()
    await dialog.getByText('LABAN_CONSOLE_TOKEN').waitFor()
    await untilStatus(flowId, 'failed')
    await dialog.getByLabel('Operator token').fill(TOKEN)
    await dialog.getByRole('button', { name: 'Replace and run' }).click()
    await dialog.waitFor({ state: 'detached' })

    await page.getByRole('region', { name: 'Preview and history' }).getByText('Ada').waitFor()
    await page.getByRole('link', { name: flowId.slice(0, 8) }).click()
    await page.getByText('✓ completed').first().waitFor()
    await untilStatus(flowId, 'completed')
    expect(watched.complaints.filter((text) => !text.includes('status of 401'))).toEqual([])
  },
  TEST_TIMEOUT_MS,
)

it(
  'changes nothing without the token, and writes down who tried',
  async () => {
    const [flowId = ''] = await publish(3)
    await untilStatus(flowId, 'failed')
    const [letter] = (await ask<DeadLetterList>('api/dead-letters')).groups.flatMap(({ letters }) => letters)
    const attempt = async (at: string, authorization: Readonly<Record<string, string>>): Promise<unknown> => {
      const response = await fetch(`${at}api/actions/redrive`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...authorization },
        body: JSON.stringify({ letters: [letter], by: 'Mallory' }),
      })
      return { status: response.status, body: await response.json() }
    }
    const refused = { status: 401, body: { error: { code: 'LABAN_CONSOLE_TOKEN' } } }
    expect(await attempt(url, {})).toMatchObject(refused)
    expect(await attempt(url, { authorization: `Bearer ${TOKEN}.` })).toMatchObject(refused)
    // Without a token of its own even the right one is none.
    expect(await attempt(readOnlyUrl, { authorization: `Bearer ${TOKEN}` })).toMatchObject({
      status: 403,
      body: { error: { code: 'LABAN_CONSOLE_ACTIONS_OFF' } },
    })
    const lines = running.stderr() + running.stdout()
    const audit = lines.split('\n').filter((line) => line.includes('wrong operator token'))
    expect(audit.filter((line) => line.includes('/api/actions/redrive') && line.includes('127.0.0.1'))).toHaveLength(2)
    const [after] = (await ask<DeadLetterList>('api/dead-letters')).groups.flatMap(({ letters }) => letters)
    expect(after).toMatchObject({ flowId, status: 'open' })
    await watched.page.goto(`${readOnlyUrl}dead-letters`)
    await watched.page.getByText('Read-only').waitFor()
    expect(await watched.page.getByRole('button', { name: 'Redrive' }).count()).toBe(0)
  },
  TEST_TIMEOUT_MS,
)
