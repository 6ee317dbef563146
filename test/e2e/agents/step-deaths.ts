/**
 * Processes that die in the middle of a handler with three steps, each at a point of its own, and one that takes all of their work
 * over. Every point has an agent, so that they die and are taken over side by side.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { plannedTopic } from '../../../contracts/topic-plan.ts'
import { readJournal } from '../../../runtime/journal/read-journal.ts'
import { ownTopics } from '../../../runtime/internal.ts'
import type { Fact } from '../../../contracts/fact.ts'
import { Deployment, type OpenLog } from '../../harness/processes.ts'
import { readTopic } from '../../harness/read-topic.ts'
import { waitFor } from '../../harness/wait.ts'
import { startPaidServices, type PaidCall, type PaidServices } from './paid-services.ts'
import { stepper } from './stepper.ts'
import { TRIAL_CONTRACTS } from './trial.ts'

const PROGRAM = join(import.meta.dirname, 'stepper-process.ts')
const PATIENCE_MS = 90_000

/** What one death has led to. */
export interface StepDeath {
  readonly point: string
  readonly modelCalls: number
  /** What must hold and does not. */
  readonly violations: readonly string[]
}

/** A namespace in which steppers live. */
export class StepTrial {
  readonly deployment: Deployment
  readonly log: OpenLog
  readonly services: PaidServices
  readonly #children: ChildProcess[] = []

  private constructor(deployment: Deployment, log: OpenLog, services: PaidServices) {
    this.deployment = deployment
    this.log = log
    this.services = services
  }

  /** Makes topics for agents of these names. */
  static async make(
    names: readonly string[],
    env: Readonly<Record<string, string>>,
    ...hooks: Parameters<typeof startPaidServices>
  ): Promise<StepTrial> {
    const services = await startPaidServices(...hooks)
    const deployment = await Deployment.plan('steps', {
      contractsDir: TRIAL_CONTRACTS,
      env: { TRIAL_COUNTER_URL: services.url, ...env },
    })
    const { code, stderr } = await deployment.laban(['contracts', 'push'])
    if (code !== 0) throw new Error(stderr)
    const log = await deployment.open()
    const own = ownTopics(
      names.map((name) => stepper(name)),
      log.contracts,
    )
    await log.broker.admin.createTopics([...log.contracts.topics.values(), ...own].map(plannedTopic))
    return new StepTrial(deployment, log, services)
  }

  /** Starts a process; resolves when its agents consume. */
  async start(point: string, names: readonly string[], version = '1.0.0'): Promise<ChildProcess> {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LABAN_'))
    const child = spawn(process.execPath, ['--conditions=laban-source', PROGRAM, point, version, ...names], {
      env: { ...Object.fromEntries(inherited), ...this.deployment.env },
    })
    this.#children.push(child)
    let said = ''
    child.stdout.on('data', (text: Buffer) => (said += text.toString()))
    child.stderr.on('data', (text: Buffer) => (said += text.toString()))
    const isReady = (): boolean => said.includes('ready\n') || child.exitCode !== null || child.signalCode !== null
    await waitFor(isReady, { timeoutMs: PATIENCE_MS, what: 'a stepper to be ready' })
    if (!said.includes('ready\n')) throw new Error(`a stepper ended: ${said}`)
    return child
  }

  /** Publishes so many first events with `laban publish`. */
  async publish(count: number, from = 0): Promise<void> {
    const rows = Array.from({ length: count }, (_, index) => `${JSON.stringify({ number: from + index })}\n`).join('')
    const command = ['publish', 'trial.begun', '--file', '-', '--id', 'number', '--on', 'kafka']
    const { code, stderr } = await this.deployment.laban(command, { input: rows })
    if (code !== 0) throw new Error(stderr)
  }

  async facts(): Promise<readonly Fact[]> {
    const records = await readTopic(this.log.broker, 'laban.facts')
    return records.flatMap(({ value, partition, offset }) => {
      const decoded = this.log.codec.decode('laban.facts', value, { partition, offset })
      return 'value' in decoded ? [decoded.value as Fact] : []
    })
  }

  async close(): Promise<void> {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL')
    await this.log.close()
    await this.deployment.stop()
    await this.services.close()
  }
}

/**
 * Lets one process die at each point and another take over. A point is `before:n` or `after:n` of the n-th call of a port, or
 * `received:<call>` or `answered:<call>` of a call outside.
 */
export async function dieAtPoints(points: readonly string[], sessionMs: number): Promise<readonly StepDeath[]> {
  const nameOf = (point: string): string => `trial.stepper-${point.replace(':', '-')}`
  const names = points.map(nameOf)
  const pids = new Map<string, number>()
  const killAt = (when: string, { what, agent, pid }: PaidCall): boolean => {
    if (agent !== nameOf(`${when}:${what}`) || pids.get(agent) !== pid) return false
    process.kill(pid, 'SIGKILL')
    return true
  }
  const env = {
    LABAN_LEASE_MS: String(sessionMs),
    LABAN_KAFKA_SESSION_TIMEOUT_MS: String(sessionMs),
    LABAN_KAFKA_HEARTBEAT_INTERVAL_MS: '1000',
  }
  const trial = await StepTrial.make(
    names,
    env,
    (call) => !killAt('received', call),
    (call) => void killAt('answered', call),
  )
  try {
    const victims = await Promise.all(
      points.map(async (point) => {
        const isOutside = point.startsWith('received') || point.startsWith('answered')
        const victim = await trial.start(isOutside ? 'never' : point, [nameOf(point)])
        pids.set(nameOf(point), victim.pid ?? -1)
        return victim
      }),
    )
    await trial.publish(1)
    const areDead = (): boolean => victims.every(({ signalCode }) => signalCode === 'SIGKILL')
    await waitFor(areDead, { timeoutMs: PATIENCE_MS, what: 'every victim to die' })
    const acknowledged = await Promise.all(names.map((name) => isModelOnLog(trial, name)))
    const callsAtDeath = names.map((name) => trial.services.count('model', name))
    await trial.start('never', names)
    const ends = await waitFor(() => endsOf(trial, names), { timeoutMs: PATIENCE_MS, what: 'every agent to complete' })
    return names.map((name, index) => {
      const { services } = trial
      const modelCalls = services.count('model', name)
      const allowed = acknowledged[index] === true ? (callsAtDeath[index] ?? 0) : (callsAtDeath[index] ?? 0) + 1
      const violations: string[] = []
      if (modelCalls > allowed) violations.push(`${modelCalls} calls of the model, ${allowed} allowed`)
      if ((callsAtDeath[index] ?? 0) > 1) violations.push('the victim called the model twice')
      if (services.done('charge', name) !== 1) violations.push(`${services.done('charge', name)} charges`)
      if (services.done('record', name) !== 1) violations.push(`${services.done('record', name)} records`)
      if ((ends.get(name)?.size ?? 0) !== 1) violations.push(`${ends.get(name)?.size ?? 0} outputs`)
      return { point: points[index] ?? '', modelCalls, violations }
    })
  } finally {
    await trial.close()
  }
}

/** Whether the journal on the log holds the model's answer. */
async function isModelOnLog({ log }: StepTrial, agent: string): Promise<boolean> {
  const journals = readJournal(await readTopic(log.broker, `${agent}.journal`))
  return [...journals.values()].some(({ entries }) => (entries.get('model')?.result ?? null) !== null)
}

/** Ids of outputs by agent, once every agent has committed past its input. */
async function endsOf(
  { log }: StepTrial,
  names: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>> | undefined> {
  for (const name of names) {
    const commits = await log.broker.admin.groupOffsets(name, ['trial.begun'])
    if (commits.reduce((sum, { offset }) => sum + offset, 0) < 1) return undefined
  }
  const ends = new Map<string, Set<string>>()
  for (const { headers } of await readTopic(log.broker, 'trial.ended')) {
    const source = String(headers['ce_source'])
    ends.set(source, (ends.get(source) ?? new Set()).add(String(headers['ce_id'])))
  }
  return names.every((name) => ends.has(name)) ? ends : undefined
}
