/**
 * Nothing is lost and nothing happens twice while processes are killed, join and leave, and the file is published twice. Handlers
 * draw random output and call a counter outside, so that a second result or a needless second run would show; with dedup switched
 * off it does.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAllFlows } from '../../runtime/internal.ts'
import { countRecords, Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { waitFor } from '../harness/wait.ts'
import {
  checkTrial,
  isTrialSettled,
  startCounter,
  TRIAL_AGENTS,
  TRIAL_CONTRACTS,
  type Counter,
} from './agents/trial.ts'

const FLOWS = 9_578
const FLOWS_PER_SECOND = 400
const END = ['trial.ended']
/** The work of a killed process is taken over when its lease and its membership have ended: here sooner than by default. */
const SHORT_LEASE = { LABAN_LEASE_MS: '6000', LABAN_KAFKA_SESSION_TIMEOUT_MS: '6000' }

/** One deployment of the trial with a counter and a file of flows. */
class Trial {
  readonly deployment: Deployment
  readonly log: OpenLog
  readonly counter: Counter
  readonly flows: number

  private constructor(deployment: Deployment, log: OpenLog, counter: Counter, flows: number) {
    this.deployment = deployment
    this.log = log
    this.counter = counter
    this.flows = flows
  }

  static async make(flows: number, env: Readonly<Record<string, string>> = {}): Promise<Trial> {
    const counter = await startCounter()
    const deployment = await Deployment.make('trial', {
      agents: TRIAL_AGENTS,
      contractsDir: TRIAL_CONTRACTS,
      env: { TRIAL_COUNTER_URL: counter.url, ...SHORT_LEASE, ...env },
    })
    const trial = new Trial(deployment, await deployment.open(), counter, flows)
    const rows = Array.from({ length: flows }, (_, number) => `${number}\n`).join('')
    await writeFile(trial.file, `number\n${rows}`)
    return trial
  }

  get file(): string {
    return join(this.deployment.folder, 'flows.csv')
  }

  start(): AgentProcess {
    return this.deployment.start(TRIAL_AGENTS)
  }

  async publish(...args: readonly string[]): Promise<void> {
    const command = ['publish', 'trial.begun', '--file', this.file, '--id', 'number', '--on', 'kafka', ...args]
    const { code, stderr } = await this.deployment.laban(command)
    expect(code, stderr).toBe(0)
  }

  ended(share: number): Promise<unknown> {
    const wanted = Math.ceil(this.flows * share)
    const reached = async (): Promise<boolean> => (await countRecords(this.log, END)) >= wanted
    return waitFor(reached, { timeoutMs: 120_000, what: `${wanted} ended flows` })
  }

  settled(): Promise<unknown> {
    return waitFor(() => isTrialSettled(this.log), {
      timeoutMs: 120_000,
      what: 'every record to be handled and committed',
    })
  }

  async close(): Promise<void> {
    await this.deployment.stop()
    await this.log.close()
    await this.counter.close()
  }
}

describe('a trial with kill -9, restart, join, leave and everything published twice', { timeout: 240_000 }, () => {
  let trial: Trial
  const kills = 2

  beforeAll(async () => {
    trial = await Trial.make(FLOWS)
  })
  afterAll(() => trial.close(), 90_000)

  it('ends each flow once, with one content for each id and no needless second run', async () => {
    const startedMs = performance.now()
    const [first, second, third] = [trial.start(), trial.start(), trial.start()]
    await Promise.all([first.ready, second.ready, third.ready])
    const publishing = trial.publish('--rate', String(FLOWS_PER_SECOND))

    await trial.ended(0.1)
    expect(await first.end('SIGKILL')).toMatchObject({ code: null })
    const restarted = trial.start()
    await trial.ended(0.3)
    const joining = trial.start()
    await Promise.all([restarted.ready, joining.ready])
    await trial.ended(0.5)
    const publishingAgain = trial.publish()
    expect(await second.end('SIGTERM')).toMatchObject({ code: 0 })
    await trial.ended(0.7)
    expect(await third.end('SIGKILL')).toMatchObject({ code: null })

    await Promise.all([publishing, publishingAgain])
    await trial.ended(1)
    await trial.settled()
    const verdict = await checkTrial(trial.log, { flows: FLOWS, kills, calls: trial.counter.calls })
    const { records, copies, reruns, violations } = verdict
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    console.info(`${FLOWS} flows in ${seconds} s: ${records} records, ${copies} copies, ${reruns} handlings ran again`)
    expect(violations.slice(0, 5)).toEqual([])
    expect(violations).toHaveLength(0)
    // Both files are on the topic, and a kill hit handlers that were running: else this has shown nothing.
    expect(copies).toBeGreaterThanOrEqual(FLOWS)
    expect(reruns).toBeGreaterThan(0)
  })

  it('adds no record when the file is published again without a crash', async () => {
    const endedBefore = await countRecords(trial.log, END)
    const callsBefore = [...trial.counter.calls.values()].reduce((sum, count) => sum + count, 0)
    await trial.publish()
    await trial.settled()
    expect(await countRecords(trial.log, END)).toBe(endedBefore)
    expect([...trial.counter.calls.values()].reduce((sum, count) => sum + count, 0)).toBe(callsBefore)
  })

  it('is read back complete, flow by flow, from facts and topics', async () => {
    const ended = await trial.deployment.stop()
    expect(ended.map(({ code }) => code).filter((code) => code !== null)).toEqual([0, 0, 0])
    const amiss: unknown[] = []
    let flows = 0
    for await (const { flowId, status, completeness } of readAllFlows({ ...trial.log, fromLog: true })) {
      flows++
      if (status !== 'completed' || !completeness.complete) amiss.push({ flowId, status, completeness })
    }
    expect(amiss.slice(0, 3)).toEqual([])
    expect(flows).toBe(FLOWS)
  })
})

describe('the same check, with dedup switched off', { timeout: 120_000 }, () => {
  it('finds ids with two contents, and handlers that ran again without a crash', async () => {
    const trial = await Trial.make(100, { LABAN_DEDUP: 'off' })
    try {
      await trial.start().ready
      await trial.publish()
      await trial.ended(1)
      await trial.publish()
      await trial.settled()
      const { flows, counter } = trial
      const { violations } = await checkTrial(trial.log, { flows, kills: 0, calls: counter.calls })
      expect(violations.filter((text) => text.endsWith('has two contents')).length).toBeGreaterThanOrEqual(flows)
      expect(violations.filter((text) => text.includes(' ran ')).length).toBeGreaterThanOrEqual(flows)
    } finally {
      await trial.close()
    }
  })
})
