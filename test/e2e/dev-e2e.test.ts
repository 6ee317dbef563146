/**
 * `laban dev` as a newcomer uses it: it stays up in one terminal, others publish and read, an agent is edited while it runs. The
 * checkout is a copy, so that editing harms nobody. And `laban demo`, whose last line must work.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { copyCheckout, type CheckoutCopy } from '../harness/checkout-copy.ts'
import { runLaban, startLaban, type Ended, type Running } from '../harness/run-laban.ts'
import { waitFor } from '../harness/wait.ts'

const APPLICATIONS = 'credit.application-received'
const SAMPLE = join('services', 'credit', 'sample', 'applications.csv')
const SAMPLE_ROWS = 40
const APPROVAL = join('services', 'credit', 'final-approval.ts')
const START_TIMEOUT_MS = 60_000
const DEMO_LIMIT_MS = 30_000

let copy: CheckoutCopy
beforeAll(() => {
  copy = copyCheckout()
})
afterAll(() => copy.remove())

function inCopy(): { readonly cwd: string; readonly bin: string } {
  return { cwd: copy.dir, bin: join(copy.dir, 'bin', 'laban.js') }
}

function laban(...args: readonly string[]): Promise<Ended> {
  return runLaban(args, inCopy())
}

describe('laban demo', { timeout: 120_000 }, () => {
  it('ends by itself in time, and the command that it prints draws the flow again', async () => {
    const startedMs = performance.now()
    const { code, stdout, stderr } = await laban('demo')
    const durationMs = performance.now() - startedMs
    console.info(`laban demo: ${(durationMs / 1_000).toFixed(1)} s`)
    expect(code, stderr).toBe(0)
    expect(durationMs).toBeLessThan(DEMO_LIMIT_MS)
    expect(stdout).toContain('40 of 40 flows are complete')
    const [, id = ''] = /npx laban flow (\S+)$/m.exec(stdout) ?? []
    const drawn = await laban('flow', id)
    expect(drawn, drawn.stderr).toMatchObject({ code: 0 })
    expect(drawn.stdout).toContain(`flow ${id}`)
    expect(drawn.stdout).toContain('credit.application-received')
    expect(drawn.stdout).toMatch(/^complete:/m)
    const asked = await laban('why', id)
    expect(asked, asked.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('completed') as unknown })
  })
})

describe('laban dev', { timeout: 180_000 }, () => {
  let dev: Running

  beforeAll(async () => {
    dev = startLaban(['dev'], inCopy())
    await says('ready; publish and read from another terminal')
  }, START_TIMEOUT_MS)
  afterAll(async () => {
    dev.child.kill('SIGTERM')
    expect(await dev.ended).toMatchObject({ code: 0 })
  }, START_TIMEOUT_MS)

  const count = (text: string): number => (dev.stdout() + dev.stderr()).split(text).length - 1

  /** Waits until the process says something, once more than before `act`. */
  async function says(text: string, act: () => void = () => undefined): Promise<void> {
    const before = count(text)
    act()
    const what = `laban dev to say "${text}"`
    await waitFor(() => count(text) > before, { timeoutMs: START_TIMEOUT_MS, what })
  }

  /** Publishes the sample from another process; gives the flow ids. */
  async function publish(batch: string): Promise<readonly string[]> {
    const idsOut = join(copy.dir, `${batch}.ids`)
    const args = ['publish', APPLICATIONS, '--file', SAMPLE, '--batch', batch, '--ids-out', idsOut, '--json']
    const { code, stdout, stderr } = await laban(...args)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ target: 'dev', published: SAMPLE_ROWS, failed: 0 })
    return (await readFile(idsOut, 'utf8')).trim().split('\n')
  }

  /** Reads a flow from another process, once it has ended. */
  function flowThatEnded(id: string): Promise<FlowGraph> {
    return waitFor(
      async () => {
        const { code, stdout } = await laban('flow', id, '--format', 'json', '--on', 'dev')
        const graph = code === 0 ? (JSON.parse(stdout) as FlowGraph) : undefined
        return graph?.completeness.complete === true ? graph : undefined
      },
      { timeoutMs: START_TIMEOUT_MS, what: `flow ${id} to be complete` },
    )
  }

  function edit(change: (source: string) => string): void {
    const file = join(copy.dir, APPROVAL)
    writeFileSync(file, change(readFileSync(file, 'utf8')))
  }

  const lastEvent = (graph: FlowGraph): string => graph.events.at(-1)?.topic ?? ''
  const approval = (graph: FlowGraph): FlowGraph['handlings'][number] | undefined =>
    graph.handlings.find(({ agent }) => agent === 'credit.final-approval')

  it('takes what another process publishes, and lets a third read it', async () => {
    const [first = ''] = await publish('morning')
    const graph = await flowThatEnded(first)
    expect(graph).toMatchObject({ flowId: first, status: 'completed' })
    expect(graph.handlings).toHaveLength(5)
    expect(lastEvent(graph)).toBe('credit.decision-made')
    expect(approval(graph)).toMatchObject({ agentVersion: '1.0.0' })
    const { stdout } = await laban('flows', '--json', '--limit', '1', '--on', 'dev')
    expect(JSON.parse(stdout)).toMatchObject({ total: SAMPLE_ROWS })
    const asked = await laban('why', first, '--on', 'dev')
    expect(asked.stdout, asked.stderr).toContain('completed')
  })

  it('goes on as it was when an edit does not load or cannot start, and says so', async () => {
    const source = readFileSync(join(copy.dir, APPROVAL), 'utf8')
    const broken = [
      (text: string) => text.replace('export default', 'export default ('),
      (text: string) => text.replace("'credit.fraud-checked'] }", "'credit.never-heard-of'] }"),
    ]
    for (const [index, change] of broken.entries()) {
      await says('not reloaded', () => edit(change))
      const [first = ''] = await publish(`broken-${index}`)
      expect(approval(await flowThatEnded(first))).toMatchObject({ agentVersion: '1.0.0' })
      await says('running credit.', () => edit(() => source))
    }
  })

  it('runs an edited agent from the next flow on', async () => {
    const toPeople = (source: string): string =>
      source
        .replace("version: '1.0.0'", "version: '2.0.0'")
        .replace('objections.length > 0', 'objections.length > 1_000')
        .replace('[...fraud.signals]', "[...fraud.signals, 'a person looks at everything']")
    await says('running credit.', () => edit(toPeople))
    expect(dev.stdout()).toContain('changed: credit/final-approval.ts')
    for (const id of (await publish('evening')).slice(0, 3)) {
      const graph = await flowThatEnded(id)
      expect(lastEvent(graph)).toBe('credit.review-requested')
      expect(approval(graph)).toMatchObject({ agentVersion: '2.0.0' })
    }
  })
})
