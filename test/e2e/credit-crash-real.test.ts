/**
 * The credit agents while processes are killed, join and leave and the file is published twice: every real application ends in
 * exactly one decision or review request, no event id has two contents, and every flow can be read back complete.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAllFlows } from '../../runtime/internal.ts'
import { findEvents, isSettled } from '../harness/check-events.ts'
import { countRecords, Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { waitFor } from '../harness/wait.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
const LOANS = join(PROJECT, '..', 'shared', 'data', 'loans.csv')
const MAP = join('services', 'credit', 'sample', 'loans-map.json')
const APPLICATIONS = 'credit.application-received'
const ENDS = ['credit.decision-made', 'credit.review-requested']
const CONSUMES = {
  'credit.credit-score': [APPLICATIONS],
  'credit.income-verification': [APPLICATIONS],
  'credit.fraud-detection': [APPLICATIONS],
  'credit.risk-assessment': ['credit.score-calculated', 'credit.income-verified'],
  'credit.final-approval': ['credit.risk-assessed', 'credit.fraud-checked'],
}
const FILES = Object.keys(CONSUMES).map((agent) => join('services', ...agent.split('.')))
const TOPICS = [...new Set([...Object.values(CONSUMES).flat(), ...ENDS])]
/** Of the file's 9,578 rows; all of them with `CRASH_ROWS=9578`. */
const ROWS = Number(process.env['CRASH_ROWS'] ?? 400)
/** Spread so that the file is still being published when the first process dies. */
const PUBLISHING_SECONDS = ROWS > 1_000 ? 20 : 5
/** The work of a killed process is taken over when its lease and its membership have ended: here sooner than by default. */
const SHORT_LEASE = { LABAN_LEASE_MS: '6000', LABAN_KAFKA_SESSION_TIMEOUT_MS: '6000' }

let deployment: Deployment
let log: OpenLog

beforeAll(async () => {
  deployment = await Deployment.make('credit-crash', { agents: FILES, env: SHORT_LEASE })
  log = await deployment.open()
  const lines = (await readFile(LOANS, 'utf8')).trim().split('\n')
  await writeFile(loansFile(), `${lines.slice(0, ROWS + 1).join('\n')}\n`)
}, 60_000)

afterAll(async () => {
  await deployment.stop()
  await log.close()
}, 90_000)

function loansFile(): string {
  return join(deployment.folder, 'loans.csv')
}

/** All five agents in one process. */
function start(): AgentProcess {
  return deployment.start(FILES)
}

async function publish(...args: readonly string[]): Promise<void> {
  const command = ['publish', APPLICATIONS, '--file', loansFile(), '--map', MAP, '--on', 'kafka', ...args]
  const { code, stderr } = await deployment.laban(command)
  expect(code, stderr).toBe(0)
}

function ended(share: number): Promise<unknown> {
  const wanted = Math.ceil(ROWS * share)
  const reached = async (): Promise<boolean> => (await countRecords(log, ENDS)) >= wanted
  return waitFor(reached, { timeoutMs: 180_000, what: `${wanted} decisions and review requests` })
}

describe('the credit agents under kill -9, restart, join, leave and a file that is published twice', () => {
  it('decide every application exactly once, with one content for each id', { timeout: 300_000 }, async () => {
    const startedMs = performance.now()
    const [killed, leaving] = [start(), start()]
    await Promise.all([killed.ready, leaving.ready])
    const publishing = publish('--rate', String(Math.ceil(ROWS / PUBLISHING_SECONDS)))

    await ended(0.2)
    expect(await killed.end('SIGKILL')).toMatchObject({ code: null })
    const restarted = start()
    await restarted.ready
    const publishingAgain = publish()
    const joining = start()
    await Promise.all([publishing, publishingAgain, joining.ready])
    expect(await leaving.end('SIGTERM')).toMatchObject({ code: 0 })
    await ended(1)
    await waitFor(() => isSettled(log, CONSUMES), { timeoutMs: 120_000, what: 'every record to be handled' })

    const { records, copies, idsByTopic, violations } = await findEvents(log, TOPICS)
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    console.info(`${ROWS} applications in ${seconds} s: ${records} records, ${copies} copies of equal content`)
    expect(violations).toEqual([])
    // Both publications are on the topic: else nothing was there to be told apart.
    expect(copies).toBeGreaterThanOrEqual(ROWS)
    const flows = new Set(idsByTopic.get(APPLICATIONS)?.keys())
    expect(flows.size).toBe(ROWS)
    const idsOf = (topic: string, flow: string): number => idsByTopic.get(topic)?.get(flow)?.size ?? 0
    const between = TOPICS.filter((topic) => !ENDS.includes(topic))
    const amiss = [...flows].filter((flow) => {
      const ends = ENDS.reduce((sum, topic) => sum + idsOf(topic, flow), 0)
      return ends !== 1 || between.some((topic) => idsOf(topic, flow) !== 1)
    })
    expect(amiss).toEqual([])
    for (const [topic, found] of idsByTopic) {
      expect(
        [...found.keys()].filter((flow) => !flows.has(flow)),
        `strangers on ${topic}`,
      ).toEqual([])
    }
  })

  it('leave flows that are read back complete, each of them', { timeout: 120_000 }, async () => {
    await deployment.stop()
    const amiss: unknown[] = []
    let flows = 0
    for await (const { flowId, status, completeness } of readAllFlows({ ...log, fromLog: true })) {
      flows++
      if (status !== 'completed' || !completeness.complete) amiss.push({ flowId, status, completeness })
    }
    expect(amiss.slice(0, 3)).toEqual([])
    expect(flows).toBe(ROWS)
  })
})
