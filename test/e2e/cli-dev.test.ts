/** `laban dev` in one terminal, publish and flow in another; an agent is edited while it runs. Real processes, nothing installed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FlowGraph } from '../../tracing/index.ts'
import { runLaban, startLaban, type Running } from '../harness/run-laban.ts'
import { waitFor } from '../harness/wait.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
const TOPIC = 'credit.application-received'
const ID = '8bb8bc08-6b96-829f-a45a-752d24795b9f'
const OTHER_ID = '9bb8bc08-6b96-829f-a45a-752d24795b9f'

const application = {
  ...{ purpose: 'credit_card', interestRate: 0.1, monthlyInstallment: 228, logAnnualIncome: 11, debtToIncome: 14 },
  ...{ fico: 707, creditLineDays: 2760, revolvingBalance: 33623, revolvingUtilization: 76, inquiriesLast6Months: 0 },
  ...{ delinquencies2Years: 0, publicRecords: 0, meetsCreditPolicy: true },
}

/** Below the project, so that `import 'laban'` finds it. */
let folder: string
let dev: Running | undefined

beforeEach(() => {
  mkdirSync(join(PROJECT, '.laban'), { recursive: true })
  folder = mkdtempSync(join(PROJECT, '.laban', 'dev-test-'))
  mkdirSync(join(folder, 'agents'))
  const config = { contractsDir: join(PROJECT, 'contracts'), agents: ['agents/*.ts'], stateDir: 'state' }
  writeFileSync(join(folder, 'laban.config.json'), JSON.stringify(config))
})

afterEach(async () => {
  dev?.child.kill('SIGKILL')
  await dev?.ended
  dev = undefined
  rmSync(folder, { recursive: true, force: true })
})

function writeAgent(version: string): void {
  writeFileSync(
    join(folder, 'agents', 'score.ts'),
    `import { defineAgent } from 'laban'
export default defineAgent({
  name: 'credit.test-score', version: '${version}', consumes: '${TOPIC}', produces: ['credit.score-calculated'],
  handle(event, { publish }) {
    const band = 'good'
    publish('credit.score-calculated', { applicationId: '', score: 700, band, meetsCreditPolicy: true, reasons: [] })
  },
})
`,
  )
}

async function startDev(): Promise<void> {
  dev = startLaban(['dev'], { cwd: folder })
  await waitFor(() => dev?.stdout().includes('ready'), { timeoutMs: 30_000, what: `laban dev to be ready` })
}

async function publish(id: string): Promise<void> {
  const input = `${JSON.stringify({ id, ...application })}\n`
  const { code, stdout, stderr } = await runLaban(['publish', TOPIC, '--file', '-', '--id', 'id'], {
    cwd: folder,
    input,
  })
  expect(stderr).toBe('')
  expect(stdout).toContain('published 1 ')
  expect(stdout).toContain('laban dev')
  expect(code).toBe(0)
}

async function completedFlow(id: string): Promise<FlowGraph> {
  return await waitFor(
    async () => {
      const { stdout } = await runLaban(['flow', id, '--format', 'json'], { cwd: folder })
      const graph = JSON.parse(stdout) as FlowGraph
      return graph.handlings.some(({ status }) => status === 'completed') ? graph : undefined
    },
    { timeoutMs: 30_000, what: `flow ${id} to complete` },
  )
}

describe('laban dev', () => {
  it('is reached from other terminals, takes up an edit, and leaves a run that can be read', async () => {
    writeAgent('1.0.0')
    await startDev()
    await publish(ID)
    expect((await completedFlow(ID)).handlings[0]?.agentVersion).toBe('1.0.0')

    writeAgent('2.0.0')
    await waitFor(() => (dev?.stdout().match(/^running /gm)?.length ?? 0) >= 2, { timeoutMs: 30_000, what: 'a reload' })
    await publish(OTHER_ID)
    expect((await completedFlow(OTHER_ID)).handlings[0]?.agentVersion).toBe('2.0.0')
    expect((await completedFlow(ID)).handlings[0]?.agentVersion).toBe('1.0.0')

    const listed = await runLaban(['flows', '--json'], { cwd: folder })
    expect(JSON.parse(listed.stdout)).toMatchObject({ total: 2 })

    dev?.child.kill('SIGTERM')
    expect((await dev?.ended)?.code).toBe(0)
    const after = await runLaban(['flow', ID.slice(0, 8)], { cwd: folder })
    expect(after.stdout).toContain('credit.test-score')
    expect(after.stderr).toContain('the last embedded run')
  })

  it('publishing the same event again adds nothing to what follows from it', async () => {
    writeAgent('1.0.0')
    await startDev()
    await publish(ID)
    await completedFlow(ID)
    await publish(ID)
    const graph = await waitFor(
      async () => {
        const found = await completedFlow(ID)
        return found.handlings[0]?.duplicatesSkipped === 1 ? found : undefined
      },
      { timeoutMs: 30_000, what: 'the copy to be skipped' },
    )
    expect(graph.events.filter(({ topic }) => topic === 'credit.score-calculated')).toHaveLength(1)
  })
})

describe('without anything to talk to', () => {
  it('says so, and what to do', async () => {
    const { code, stderr } = await runLaban(['flow', ID], { cwd: folder })
    expect(code).toBe(69)
    expect(stderr).toContain('LABAN_TARGET_MISSING')
    expect(stderr).toContain('laban dev')
  })
})
