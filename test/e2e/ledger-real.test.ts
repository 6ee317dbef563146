/**
 * The ledger as processes of the real executable: real applications run through the credit agents, one of two ledgers is killed on the way,
 * and what it says of every flow is what the log says; also after it was rebuilt. Traces of one flow in a hundred are kept.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPostgresDatabase } from '../../runtime/adapters/postgres/database.ts'
import { logFlowSource, readAllFlows, type FlowSource } from '../../runtime/internal.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../runtime/ports/sql.ts'
import {
  defaultSchema,
  dropTables,
  ledgerFlowSource,
  ledgerTables,
  type LedgerStatus,
  type LedgerTables,
} from '../../services/ledger/index.ts'
import { countRecords, Deployment, type OpenLog } from '../harness/processes.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { waitFor } from '../harness/wait.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
const REAL = join(PROJECT, '..', 'shared', 'data', 'loans.csv')
const LOANS = existsSync(REAL) ? REAL : join(PROJECT, 'services', 'credit', 'sample', 'applications.csv')
const MAP = join(PROJECT, 'services', 'credit', 'sample', 'loans-map.json')
const AGENTS = ['credit-score', 'income-verification', 'fraud-detection', 'risk-assessment', 'final-approval']
const FILES = AGENTS.map((name) => join('services', 'credit', name))
const ENDS = ['credit.decision-made', 'credit.review-requested']
/** A test of all applications takes minutes: LABAN_TEST_LEDGER_ROWS=9578 does it. */
const ROWS = Number(process.env['LABAN_TEST_LEDGER_ROWS'] ?? '200')
const PATIENCE_MS = 60_000 + ROWS * 40

let deployment: Deployment
let log: OpenLog
let database: SqlDatabase
let tables: LedgerTables
let fromLog: FlowSource
let fromLedger: FlowSource

beforeAll(async () => {
  const url = await stackAddress('postgresUrl')
  deployment = await Deployment.make('ledger-real', {
    agents: FILES,
    env: {
      LABAN_LEDGER_URL: url,
      LABAN_TRACING_ENABLED: 'true',
      LABAN_TRACING_OTLP_URL: await stackAddress('otlpHttpUrl'),
      LABAN_TRACING_SAMPLE_RATIO: '0.01',
    },
  })
  log = await deployment.open()
  database = createPostgresDatabase({ url, logger: silentLogger })
  tables = ledgerTables(defaultSchema(deployment.namespace))
  fromLog = logFlowSource(log)
  fromLedger = ledgerFlowSource({ database, tables, source: log })
}, 120_000)

afterAll(async () => {
  await deployment.stop()
  await dropTables(database, tables)
  await database.close()
  await log.close()
}, 90_000)

async function applications(): Promise<{ readonly file: string; readonly args: readonly string[] }> {
  const [header = '', ...rows] = (await readFile(LOANS, 'utf8')).trim().split('\n')
  const file = join(deployment.folder, 'applications.csv')
  await writeFile(file, [header, ...rows.slice(0, ROWS)].join('\n'))
  return { file, args: LOANS === REAL ? ['--map', MAP] : ['--id', 'applicationId'] }
}

async function status(): Promise<LedgerStatus> {
  const { stdout, stderr } = await deployment.laban(['ledger', 'status', '--json'])
  expect(stdout, stderr).not.toBe('')
  return JSON.parse(stdout) as LedgerStatus
}

async function untilCaughtUp(): Promise<LedgerStatus> {
  return await waitFor(
    async () => {
      const found = await status()
      return found.partitions.every(({ lagFacts, underivedFacts }) => lagFacts + underivedFacts === 0) && found
    },
    { timeoutMs: PATIENCE_MS, what: 'the ledger to catch up' },
  )
}

/** Every line and every graph; the log's in one pass. */
async function expectSame(): Promise<void> {
  const lines = await fromLedger.search({ limit: ROWS })
  expect(lines.total).toBeGreaterThan(0)
  expect(lines).toEqual(await fromLog.search({ limit: ROWS }))
  let graphs = 0
  for await (const graph of readAllFlows(log)) {
    graphs++
    expect(await fromLedger.flow(graph.flowId)).toEqual(graph)
  }
  expect(graphs).toBe(lines.total)
}

describe('the ledger', { timeout: 2 * PATIENCE_MS }, () => {
  it('says of every flow what the log says, although one of its processes was killed on the way', async () => {
    const ledgers = [deployment.startLedger(), deployment.startLedger()]
    const agents = deployment.start(FILES)
    await Promise.all([agents, ...ledgers].map(({ ready }) => ready))
    const { file, args } = await applications()
    const publishing = deployment.laban(['publish', 'credit.application-received', '--file', file, ...args])
    await waitFor(async () => (await countRecords(log, ENDS)) > 10, { timeoutMs: PATIENCE_MS, what: 'some decisions' })
    await ledgers[0]?.end('SIGKILL')
    const { code, stderr } = await publishing
    expect(code, stderr).toBe(0)
    const [published] = await Promise.all([countRecords(log, ['credit.application-received'])])
    await waitFor(async () => (await countRecords(log, ENDS)) >= published, {
      timeoutMs: PATIENCE_MS,
      what: 'all decisions',
    })
    await agents.end('SIGTERM')
    const { flows, facts, openFlows } = await untilCaughtUp()
    expect({ flows, openFlows }).toEqual({ flows: published, openFlows: 0 })
    expect(facts).toBe(await countRecords(log, ['laban.facts']))
    await expectSame()
  })

  it('is rebuilt from the log with the same result', async () => {
    const before = await fromLedger.search({ limit: ROWS })
    const asked = await deployment.laban(['ledger', 'rebuild', '--dry-run'])
    expect(asked.stdout).toContain(`of ${before.total} flows`)
    const { code, stdout, stderr } = await deployment.laban(['ledger', 'rebuild'])
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(`rebuilt: ${before.total} flows`)
    expect(await fromLedger.search({ limit: ROWS })).toEqual(before)
    await expectSame()
  })

  it('is read by `laban flows` and `laban flow`, which say so', async () => {
    const listed = await deployment.laban(['flows', '--limit', '1', '--json', '--on', 'kafka'])
    expect(listed.stderr).toContain('')
    const page = JSON.parse(listed.stdout) as { flows: readonly { flowId: string }[] }
    const shown = await deployment.laban(['flow', page.flows[0]?.flowId ?? '', '--on', 'kafka'])
    expect(shown.code, shown.stderr).toBe(0)
    expect(shown.stderr).toContain('the ledger, PostgreSQL at')
    const { stdout } = await deployment.laban(['doctor'])
    expect(stdout).toMatch(/ledger +PostgreSQL at/)
  })
})
