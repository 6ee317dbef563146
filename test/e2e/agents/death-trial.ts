/** A process dies or freezes with many records in flight, another one takes over; what then lies on the log is judged. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeEnvelope } from '../../../contracts/envelope.ts'
import { Deployment, type AgentProcess, type OpenLog } from '../../harness/processes.ts'
import { readTopic } from '../../harness/read-topic.ts'
import { waitFor } from '../../harness/wait.ts'
import type { DeathPoint } from './death-points.ts'
import { contentOf } from '../../harness/check-events.ts'
import { TRIAL_CONTRACTS } from './trial.ts'

const HERE = import.meta.dirname
const SLEEPER = join(HERE, 'sleeper.ts')
const AGENT = 'trial.sleeper'
const PATIENCE_MS = 120_000

/** What one death has shown. */
export interface DeathReport {
  /** Handlers of the victim that had begun and not ended when it died, at least. */
  readonly inFlight: number
  /** Handlers that ran twice. */
  readonly reruns: number
  /** Output records beyond the first of their id. */
  readonly copies: number
  readonly violations: readonly string[]
}

/** One namespace with a survivor in which victims die, one after the other. */
export class DeathTrial {
  readonly #deployment: Deployment
  readonly #log: OpenLog
  readonly #survivor: AgentProcess
  readonly #victims: ChildProcess[] = []
  #published = 0

  private constructor(deployment: Deployment, log: OpenLog, survivor: AgentProcess) {
    this.#survivor = survivor
    this.#deployment = deployment
    this.#log = log
  }

  /** `sessionMs`: session time-out and lease; the work of the dead is taken over after both. */
  static async make(sessionMs: number): Promise<DeathTrial> {
    const deployment = await Deployment.make('death', {
      agents: [SLEEPER],
      contractsDir: TRIAL_CONTRACTS,
      env: {
        LABAN_LEASE_MS: String(sessionMs),
        LABAN_KAFKA_SESSION_TIMEOUT_MS: String(sessionMs),
        LABAN_KAFKA_HEARTBEAT_INTERVAL_MS: String(Math.floor(sessionMs / 4)),
      },
    })
    const runsFile = join(deployment.folder, 'runs')
    writeFileSync(runsFile, '')
    const survivor = deployment.start([SLEEPER], { TRIAL_RUNS_FILE: runsFile })
    await survivor.ready
    return new DeathTrial(deployment, await deployment.open(), survivor)
  }

  /** Half of `count` events or so are with a victim that kills itself at `point`. */
  async die(point: DeathPoint, count: number): Promise<DeathReport> {
    // A fifth of all is less than its share, so that it gets there for certain.
    const victim = await this.#victim(point, count / 5)
    const died = new Promise((resolve) => victim.once('exit', (_code, signal) => resolve(signal)))
    const before = this.#runs().length
    await this.#publish(count)
    const signal = await died
    if (signal !== 'SIGKILL') throw new Error(`the victim ended with ${String(signal)}`)
    await this.#settled()
    return this.#judge(before, victim)
  }

  /** The victim is stopped in the middle of its work for so long, and goes on when all of it has been done by the other. */
  async freeze(frozenMs: number, count: number): Promise<DeathReport> {
    const victim = await this.#victim('never')
    const before = this.#runs().length
    await this.#publish(count)
    const ofVictim = (): number => this.#runs().filter(({ pid }) => pid === victim.pid).length
    await waitFor(() => ofVictim() > count / 5, { timeoutMs: PATIENCE_MS, what: 'work at the victim' })
    victim.kill('SIGSTOP')
    const frozenAtMs = performance.now()
    await this.#settled()
    await waitFor(() => performance.now() - frozenAtMs > frozenMs, { timeoutMs: frozenMs + 1_000 })
    victim.kill('SIGCONT')
    // It is well again when it is a member again and what comes next is handled.
    const isBack = async (): Promise<boolean> => (await this.#log.broker.admin.describeGroup(AGENT)).members === 2
    await waitFor(isBack, { timeoutMs: PATIENCE_MS, what: 'the victim to be a member again' })
    await this.#publish(20)
    await this.#settled()
    victim.kill('SIGTERM')
    return this.#judge(before, victim)
  }

  async close(): Promise<void> {
    for (const victim of this.#victims) victim.kill('SIGKILL')
    await this.#log.close()
    await this.#deployment.stop()
  }

  get #runsFile(): string {
    return join(this.#deployment.folder, 'runs')
  }

  async #victim(point: DeathPoint | 'never', leastBegun = 0): Promise<ChildProcess> {
    const args = [join(HERE, 'doomed.ts'), SLEEPER, point, String(leastBegun)]
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LABAN_'))
    const victim = spawn(process.execPath, ['--conditions=laban-source', ...args], {
      env: { ...Object.fromEntries(inherited), ...this.#deployment.env, TRIAL_RUNS_FILE: this.#runsFile },
    })
    this.#victims.push(victim)
    let said = ''
    victim.stdout.on('data', (text: Buffer) => (said += text.toString()))
    victim.stderr.on('data', (text: Buffer) => (said += text.toString()))
    const hasBegun = (): boolean => {
      if (victim.exitCode !== null) throw new Error(said)
      return said.includes('ready\n')
    }
    await waitFor(hasBegun, { timeoutMs: 60_000, what: `the victim to be ready: ${said}` })
    const isStable = async (): Promise<boolean> => {
      const { state, members } = await this.#log.broker.admin.describeGroup(AGENT)
      return state === 'Stable' && members === 2
    }
    await waitFor(isStable, { timeoutMs: 60_000, what: 'both to be members' })
    return victim
  }

  async #publish(count: number): Promise<void> {
    const file = join(this.#deployment.folder, 'flows.csv')
    const rows = Array.from({ length: count }, (_, index) => `${this.#published + index}\n`).join('')
    writeFileSync(file, `number\n${rows}`)
    this.#published += count
    const args = ['publish', 'trial.begun', '--file', file, '--id', 'number', '--on', 'kafka']
    const { code, stderr } = await this.#deployment.laban(args)
    if (code !== 0) throw new Error(stderr)
  }

  #settled(): Promise<unknown> {
    const { admin } = this.#log.broker
    const isSettled = async (): Promise<boolean> => {
      const commits = await admin.groupOffsets(AGENT, ['trial.begun'])
      for (const { partition, endOffset } of await admin.offsets('trial.begun')) {
        const committed = commits.find((commit) => commit.partition === partition)?.offset ?? 0
        if (committed < endOffset) return false
      }
      return true
    }
    return waitFor(isSettled, { timeoutMs: PATIENCE_MS, what: 'everything to be handled and committed' })
  }

  #runs(): readonly { id: string; pid: number }[] {
    const lines = readFileSync(this.#runsFile, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => ({ id: line.split(' ')[0] ?? '', pid: Number(line.split(' ')[1]) }))
  }

  /** One content per id, one output per event, nothing missing, no run that the death does not explain. */
  async #judge(runsBefore: number, victim: ChildProcess): Promise<DeathReport> {
    const violations: string[] = []
    const contents = new Map<string, string>()
    const flows = new Map<string, string>()
    const records = await readTopic(this.#log.broker, 'trial.ended')
    for (const record of records) {
      const { id, flowId } = decodeEnvelope(record.headers, record)
      const content = contentOf(record)
      if ((contents.get(id) ?? content) !== content) violations.push(`${id} has two contents`)
      if ((flows.get(flowId) ?? id) !== id) violations.push(`flow ${flowId} has two outputs`)
      contents.set(id, content)
      flows.set(flowId, id)
    }
    if (flows.size !== this.#published) violations.push(`${flows.size} of ${this.#published} events have an output`)
    // On a machine that stands still for a whole lease, a survivor is dead to others, too.
    const hasLapsed = this.#survivor.running.stderr().includes('lease lost')
    const runs = new Map<string, number[]>()
    for (const { id, pid } of this.#runs().slice(runsBefore)) runs.set(id, [...(runs.get(id) ?? []), pid])
    for (const [id, pids] of runs) {
      if (pids.length > 2) violations.push(`${id} ran ${pids.length} times`)
      if (pids.length === 2 && pids[0] !== victim.pid && !hasLapsed)
        violations.push(`${id} ran again although its process lived`)
    }
    return {
      inFlight: [...runs.values()].filter(([first]) => first === victim.pid).length,
      reruns: [...runs.values()].filter((pids) => pids.length > 1).length,
      copies: records.length - contents.size,
      violations,
    }
  }
}
