/**
 * What every bad day happens to: two processes of an agent on servers of their own, a publisher that never pauses, and somebody who
 * asks both for their health all the time. The registry is the stack's, behind a wire that can be cut.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger, loadConfig, openKafka, publisherOn, type Publisher } from '../../../runtime/internal.ts'
import { startPrivateRedis, type PrivateRedis } from '../../conformance/store-server.ts'
import { TRIAL_CONTRACTS } from '../../e2e/agents/trial.ts'
import { findEvents, isSettled } from '../../harness/check-events.ts'
import { Deployment, type AgentProcess, type OpenLog } from '../../harness/processes.ts'
import { readTopic } from '../../harness/read-topic.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { TcpProxy } from '../../harness/tcp-proxy.ts'
import { waitFor } from '../../harness/wait.ts'
import { HealthWatch } from './health-watch.ts'

const WORKER = join(import.meta.dirname, 'worker.ts')
const AGENT = 'trial.worker'
const PUBLISH_EVERY_MS = 50
const LANES = 16
const PATIENCE_MS = 180_000

/** What the scene is set on. */
export interface SceneOptions {
  /** Addresses of the brokers as the agents know them. */
  readonly brokers: string
  readonly env?: Readonly<Record<string, string>>
  /** More environment of the first process only. */
  readonly firstEnv?: Readonly<Record<string, string>>
}

/** One handler that began. */
export interface HandlerRun {
  readonly eventId: string
  readonly pid: number
  readonly atMs: number
}

/** What lies on the log at the end. */
export interface Verdict {
  readonly events: number
  /** Handlers that ran more than once for an event. */
  readonly reruns: number
  /** Output records beyond the first of their id. */
  readonly copies: number
  readonly violations: readonly string[]
}

/** Milliseconds of a clock that nobody sets, the same in every process. */
export function steadyMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

/** See the file's head. */
export class Scene {
  readonly redis: PrivateRedis
  readonly registry: TcpProxy
  readonly deployment: Deployment
  readonly processes: readonly AgentProcess[]
  readonly health: HealthWatch
  readonly #log: OpenLog
  readonly #publisher: Publisher
  readonly #publishing: Promise<unknown>[] = []
  readonly #refused: string[] = []
  #published = 0
  #acknowledged = 0
  #timer: NodeJS.Timeout | undefined

  private constructor(parts: {
    redis: PrivateRedis
    registry: TcpProxy
    deployment: Deployment
    processes: readonly AgentProcess[]
    log: OpenLog
    publisher: Publisher
  }) {
    this.redis = parts.redis
    this.registry = parts.registry
    this.deployment = parts.deployment
    this.processes = parts.processes
    this.#log = parts.log
    this.#publisher = parts.publisher
    this.health = new HealthWatch(parts.processes)
  }

  /** Servers, topics, schemas, processes; publishing has begun and the first events have been handled. */
  static async make({ brokers, env = {}, firstEnv = {} }: SceneOptions): Promise<Scene> {
    const redis = await startPrivateRedis()
    const registry = await TcpProxy.start(await stackAddress('registryUrl'))
    const deployment = await Deployment.make('bad-day', {
      agents: [WORKER],
      contractsDir: TRIAL_CONTRACTS,
      env: { LABAN_BROKERS: brokers, LABAN_REDIS_URL: redis.url, LABAN_REGISTRY_URL: registry.url, ...env },
    })
    const runsFile = join(deployment.folder, 'runs')
    writeFileSync(runsFile, '')
    const ofAll = { TRIAL_RUNS_FILE: runsFile }
    const processes = [deployment.start([WORKER], { ...ofAll, ...firstEnv }), deployment.start([WORKER], ofAll)]
    await Promise.all(processes.map(({ ready }) => ready))
    const { config } = loadConfig({ environment: deployment.env })
    const stack = await openKafka({ config, log: createLogger({ level: 'error', format: 'json' }) })
    const publisher = await publisherOn(stack, { source: 'trial.publisher' })
    const log = await deployment.open()
    const close = async (): Promise<void> => {
      await publisher.close()
      await stack.close()
    }
    const scene = new Scene({ redis, registry, deployment, processes, log, publisher: { ...publisher, close } })
    scene.publish()
    await waitFor(() => new Set(scene.runs().map(({ pid }) => pid)).size === 2, {
      timeoutMs: PATIENCE_MS,
      what: 'both processes to be at work',
    })
    return scene
  }

  /** Starts another process of the agent. */
  startAnother(): AgentProcess {
    return this.deployment.start([WORKER])
  }

  /** How far it has come, for people. */
  get progress(): string {
    return `${this.#published} published, ${this.#acknowledged} acknowledged, ${this.runs().length} runs`
  }

  /** Begins to publish and never waits for an answer. */
  publish(): void {
    this.#timer = setInterval(() => {
      const number = this.#published++
      const value = { number, lane: `lane-${number % LANES}` }
      const publishAll = this.#publisher.publishAll([
        { eventId: crypto.randomUUID(), topic: 'trial.begun', value, key: value.lane },
      ])
      this.#publishing.push(
        publishAll.then(
          () => this.#acknowledged++,
          (error: unknown) => this.#refused.push(String(error)),
        ),
      )
    }, PUBLISH_EVERY_MS)
  }

  runs(): readonly HandlerRun[] {
    const lines = readFileSync(join(this.deployment.folder, 'runs'), 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => {
      const [eventId = '', pid, atMs] = line.split(' ')
      return { eventId, pid: Number(pid), atMs: Number(atMs) }
    })
  }

  /** Publishes no more and waits until everything has been handled and committed. */
  async settle(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#publishing)
    const settled = (): Promise<boolean> => isSettled(this.#log, { [AGENT]: ['trial.begun'] })
    await waitFor(settled, { timeoutMs: PATIENCE_MS, what: 'everything to be handled and committed' })
  }

  /** Nothing lost, nothing doubled, order kept in each lane, no dead letter; call it when everything has settled. */
  async judge(): Promise<Verdict> {
    const found = await findEvents(this.#log, ['trial.begun', 'trial.noted'])
    const violations = [...found.violations, ...this.#refused.map((why) => `publishing was refused: ${why}`)]
    for (const [topic, idsByFlow] of found.idsByTopic) {
      if (idsByFlow.size !== this.#published)
        violations.push(`${topic} has events of ${idsByFlow.size} flows, not of ${this.#published}`)
      for (const [flowId, ids] of idsByFlow)
        if (ids.size > 1) violations.push(`${topic} has ${ids.size} events of ${flowId}`)
    }
    violations.push(...(await this.#outOfOrder()))
    const dead = await readTopic(this.#log.broker, `${AGENT}.dead-letter`)
    if (dead.length > 0) violations.push(`${dead.length} dead letters`)
    const runs = Map.groupBy(this.runs(), ({ eventId }) => eventId)
    const reruns = [...runs.values()].filter(({ length }) => length > 1).length
    return { events: this.#published, reruns, copies: found.copies, violations }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.health.stop()
    for (const { pid } of this.processes) if (isAlive(pid)) process.kill(pid, 'SIGCONT')
    await Promise.all(this.processes.map((each) => each.end('SIGTERM')))
    await this.deployment.stop()
    await this.#publisher.close()
    await this.#log.close()
    await this.registry.refuse()
    await this.redis.close()
  }

  /** First records of ids in the order of the log: numbers of a lane never go back. */
  async #outOfOrder(): Promise<readonly string[]> {
    const seen = new Set<string>()
    const last = new Map<string, number>()
    const violations: string[] = []
    for (const record of await readTopic(this.#log.broker, 'trial.noted')) {
      const id = String(record.headers['ce_id'])
      if (seen.has(id)) continue
      seen.add(id)
      const decoded = this.#log.codec.decode('trial.noted', record.value, record)
      if (!('value' in decoded)) continue
      const { number, lane } = decoded.value as { number: number; lane: string }
      if (number < (last.get(lane) ?? -1)) violations.push(`${lane}: ${number} came after ${last.get(lane) ?? -1}`)
      last.set(lane, number)
    }
    return violations
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
