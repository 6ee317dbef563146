/**
 * `laban flow --follow`, `laban diff` and `laban topology` from the outside, on the real servers: agents are a process, every
 * question is a process of its own, and what is published comes from `laban publish`.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FlowDiff } from '../../tracing/index.ts'
import { asyncApiFaults } from '../harness/asyncapi.ts'
import { Deployment } from '../harness/processes.ts'
import { startLaban, type Running } from '../harness/run-laban.ts'
import { waitFor } from '../harness/wait.ts'
import { startCounter, TRIAL_AGENTS, TRIAL_CONTRACTS, type Counter } from './agents/trial.ts'

const AGENTS = [...TRIAL_AGENTS, join(import.meta.dirname, 'agents', 'fragile')]
const START_TIMEOUT_MS = 120_000
const PATIENCE_MS = 30_000

const gate = Promise.withResolvers<void>()
let counter: Counter
let deployment: Deployment
/** Even numbers go well; the first waits at the join until the gate opens. */
const flows = { held: randomUUID(), good: randomUUID(), bad: randomUUID() }

beforeAll(async () => {
  counter = await startCounter(gate.promise, 'trial.joiner')
  deployment = await Deployment.make('flow-commands', {
    agents: AGENTS,
    contractsDir: TRIAL_CONTRACTS,
    env: { TRIAL_COUNTER_URL: counter.url },
  })
  await deployment.start(AGENTS).ready
}, START_TIMEOUT_MS)
afterAll(async () => {
  gate.resolve()
  await deployment.stop()
  await counter.close()
}, START_TIMEOUT_MS)

async function publish(id: string, number: number): Promise<void> {
  const input = `${JSON.stringify({ id, number, lane: `lane of ${number}` })}\n`
  const args = ['publish', 'trial.begun', '--file', '-', '--id', 'id', '--on', 'kafka']
  const { code, stderr } = await deployment.laban(args, { input })
  expect(code, stderr).toBe(0)
}

function follow(id: string, ...more: string[]): Running {
  return startLaban(['flow', id, '--follow', '--on', 'kafka', ...more], { env: deployment.env })
}

function saying(running: Running, text: string): Promise<unknown> {
  const has = (): boolean => running.stdout().includes(text) || running.stderr().includes(text)
  return waitFor(has, { timeoutMs: PATIENCE_MS, what: `"${text}" in ${running.stdout()} ${running.stderr()}` })
}

describe('laban flow --follow', { timeout: 2 * PATIENCE_MS }, () => {
  it('waits for a flow that nobody knows yet, tells what happens while agents work, and ends with the flow', async () => {
    const following = follow(flows.held, '--wait', '60')
    await saying(following, `${flows.held} has not begun; waiting for it for up to 60 s`)
    await publish(flows.held, 2)
    for (const news of ['● trial.begun', '✓ trial.splitter', '● trial.left-done', '✓ trial.fragile'])
      await saying(following, news)
    expect(following.stdout()).not.toContain('✓ trial.joiner')
    expect(following.child.exitCode).toBeNull()
    gate.resolve()
    const { code, stdout, stderr } = await following.ended
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/✓ trial\.joiner {2}/)
    expect(stderr).toContain('the flow has ended')
    // Said once, and what was told line by line is drawn as a whole at the end.
    expect(stderr.match(/has not begun/g)).toHaveLength(1)
    expect(stdout.match(/✓ trial\.joiner/g)).toHaveLength(2)
  })

  it('ends with a failure when the flow does', async () => {
    const following = follow(flows.bad)
    await publish(flows.bad, 3)
    const { code, stdout, stderr } = await following.ended
    expect(code, stderr).toBe(65)
    expect(stdout).toContain('no odds here: 3')
    expect(stderr).toMatch(/the flow has ended after .*: failed/)
  })

  it('says at once that there is no such flow when it shall not wait, and after the wait else', async () => {
    const look = async (seconds: string): Promise<void> => {
      const { code, stderr } = await follow(randomUUID(), '--wait', seconds).ended
      expect({ code, waited: stderr.includes('has not begun') }).toEqual({ code: 66, waited: seconds === '1' })
      expect(stderr).toContain('LABAN_FLOW_NOT_FOUND')
    }
    await Promise.all([look('0'), look('1')])
  })
})

describe('laban diff', { timeout: 2 * PATIENCE_MS }, () => {
  it('says where a flow that went well and one that failed part, and that a flow is equal to itself', async () => {
    await publish(flows.good, 4)
    expect(await follow(flows.good).ended).toMatchObject({ code: 0 })
    const diff = (left: string, right: string, ...more: string[]): ReturnType<typeof deployment.laban> =>
      deployment.laban(['diff', left, right, '--on', 'kafka', ...more])
    const [compared, text, same] = await Promise.all([
      diff(flows.good, flows.bad, '--json'),
      diff(flows.good.slice(0, 8), flows.bad.slice(0, 8)),
      diff(flows.good, flows.good),
    ])
    expect(compared.code, compared.stderr).toBe(1)
    expect((JSON.parse(compared.stdout) as FlowDiff).same).toBe(false)
    expect(text.stdout).toContain('trial.noted')
    expect(text.stdout).toMatch(/number.*4.*3/)
    expect(text.stdout).toMatch(/trial\.fragile.*failed/)
    expect(same.code, same.stdout).toBe(0)
  })
})

describe('laban topology', { timeout: 2 * PATIENCE_MS }, () => {
  const draw = async (...more: string[]): Promise<string> => {
    const { code, stdout, stderr } = await deployment.laban(['topology', '--on', 'kafka', ...more])
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('6 agents, from Kafka at ')
    return stdout
  }

  it('draws what runs, as text and as a flow chart', async () => {
    const [text, chart] = await Promise.all([draw(), draw('--format', 'mermaid')])
    expect(text).toMatch(/^● trial\.begun/)
    expect(text).toContain('trial.joiner 1.0.0  joins it with trial.right-done')
    expect(chart).toMatch(/^flowchart LR\n/)
    expect(chart).toContain('trial.joiner')
  })

  it('writes an AsyncAPI document that the specification allows', async () => {
    const document = JSON.parse(await draw('--format', 'asyncapi')) as {
      servers: Record<string, { host: string }>
      channels: Record<string, { address: string }>
    }
    expect(asyncApiFaults(document)).toEqual([])
    expect(document.channels['trial.begun']?.address).toBe(`${deployment.namespace}.trial.begun`)
    expect(Object.values(document.servers).map(({ host }) => host)).toEqual(deployment.env['LABAN_BROKERS']?.split(','))
  })
})
