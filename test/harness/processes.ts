/**
 * Agents as processes of the real executable on the real servers, in a namespace of their own. What a test starts here it ends
 * here, by process id; topics and schemas of the namespace are made by the commands that a user runs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contractsOf, createLogger, loadConfig, openCodec, openKafka } from '../../runtime/internal.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import type { SchemaRegistry } from '../../contracts/registry.ts'
import type { Broker } from '../../runtime/ports/broker.ts'
import { stackAddress } from './real-stack.ts'
import { runLaban, startLaban, type Ended, type RunOptions, type Running } from './run-laban.ts'
import { uniqueName } from './unique-name.ts'
import { waitFor } from './wait.ts'

type Environment = Readonly<Record<string, string>>

/** Starting takes a second of a core; ten processes at once on two busy ones take their time. */
const START_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 60_000

/** One `laban run`. */
export interface AgentProcess {
  readonly pid: number
  /** Resolves once every agent of it consumes. @throws Error with what the process said when it ended instead */
  readonly ready: Promise<void>
  /** host:port of its `/live`, `/ready` and `/metrics`, once it is ready. */
  address(): string
  /** Status of `/live` or `/ready`, and why it is not ready. */
  health(path: 'live' | 'ready'): Promise<{ readonly status: number; readonly problems: readonly string[] }>
  /** Sends a signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Ended>
  readonly running: Running
}

/** What reading a namespace needs; close it at the end. */
export interface OpenLog {
  readonly broker: Broker
  readonly codec: EventCodec
  readonly contracts: ContractSet
  readonly registry: SchemaRegistry
  close(): Promise<void>
}

/** Where the servers are. */
export interface ServerAddresses {
  readonly brokers: readonly string[]
  readonly registryUrl: string
  readonly redisUrl: string
}

/** What is deployed. */
export interface DeploymentOptions {
  /** Agent files, for the topics that they need. */
  readonly agents: readonly string[]
  /** @default the project's contracts */
  readonly contractsDir?: string
  /** @default the real stack */
  readonly servers?: ServerAddresses
  /** More configuration of every process. */
  readonly env?: Environment
}

/** A namespace with its topics and schemas, and the processes that a test has started in it. */
export class Deployment {
  readonly namespace: string
  /** Configuration of every process of this namespace. */
  readonly env: Environment
  /** For files of the test; removed with the deployment. */
  readonly folder: string
  readonly #processes: AgentProcess[] = []
  readonly #others: Running[] = []

  private constructor(namespace: string, folder: string, env: Environment) {
    this.namespace = namespace
    this.folder = folder
    this.env = env
  }

  /** Makes topics and schemas with `laban topics apply` and `laban contracts push`. */
  static async make(prefix: string, options: DeploymentOptions): Promise<Deployment> {
    const deployment = await Deployment.plan(prefix, options)
    const [topics, schemas] = await Promise.all([
      deployment.laban(['topics', 'apply', ...options.agents]),
      deployment.laban(['contracts', 'push']),
    ])
    for (const { code, stderr } of [topics, schemas]) if (code !== 0) throw new Error(stderr)
    return deployment
  }

  /** The same without topics and schemas. */
  static async plan(prefix: string, options: Omit<DeploymentOptions, 'agents'> = {}): Promise<Deployment> {
    const namespace = uniqueName(prefix)
    const folder = mkdtempSync(join(tmpdir(), 'laban-deployment-'))
    const { brokers, registryUrl, redisUrl } = options.servers ?? (await realServers())
    return new Deployment(namespace, folder, {
      LABAN_NAMESPACE: namespace,
      LABAN_BROKERS: brokers.join(','),
      LABAN_REGISTRY_URL: registryUrl,
      LABAN_REDIS_URL: redisUrl,
      // Read back from Kafka only: a developer's own embedded runs lie in the default folder.
      LABAN_STATE_DIR: folder,
      LABAN_TRACING_ENABLED: 'false',
      LABAN_LOG_LEVEL: 'warn',
      ...(options.contractsDir === undefined ? {} : { LABAN_CONTRACTS_DIR: options.contractsDir }),
      ...options.env,
    })
  }

  /** Runs one command to its end. */
  laban(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return runLaban(args, { ...options, env: { ...this.env, ...options.env } })
  }

  /** Starts `laban run` on some agent files; it is ended with the deployment. */
  start(files: readonly string[], env: Environment = {}): AgentProcess {
    const process = watch(startLaban(['run', ...files], { env: { ...this.env, ...env } }), files)
    this.#processes.push(process)
    return process
  }

  /** Starts `laban ledger run`; it is ended with the deployment. */
  startLedger(env: Environment = {}): AgentProcess {
    const process = watch(startLaban(['ledger', 'run'], { env: { ...this.env, ...env } }), ['the ledger'])
    this.#processes.push(process)
    return process
  }

  /** Starts `laban console` on any free port; it is ended with the deployment. Resolves with its address once it answers. */
  async startConsole(env: Environment = {}): Promise<{ readonly url: string; readonly running: Running }> {
    const running = startLaban(['console', '--on', 'kafka', '--port', '0'], { env: { ...this.env, ...env } })
    this.#others.push(running)
    const urlOf = (): string | undefined => /(http:\S+\/)\s/.exec(running.stdout())?.[1]
    await waitFor(() => running.child.exitCode !== null || urlOf(), {
      timeoutMs: START_TIMEOUT_MS,
      what: 'the console',
    })
    const url = urlOf()
    if (url === undefined) throw new Error(`the console ended: ${running.stderr()}`)
    return { url, running }
  }

  /** The log of the namespace as this test sees it. */
  async open(): Promise<OpenLog> {
    const { config } = loadConfig({ environment: this.env })
    const stack = await openKafka({ config, log: createLogger({ level: 'error', format: 'json' }) })
    const { codec } = await openCodec(stack)
    const { broker, registry } = stack
    return { broker, codec, registry, contracts: contractsOf(config), close: () => stack.close() }
  }

  /** Drains all processes that still run; gives how they ended. */
  async stop(): Promise<readonly Ended[]> {
    for (const { child } of this.#others) child.kill('SIGTERM')
    await Promise.all(this.#others.map((running) => running.ended))
    const ended = await Promise.all(this.#processes.map((process) => process.end('SIGTERM')))
    rmSync(this.folder, { recursive: true, force: true })
    return ended
  }
}

/** Where the real stack is. */
export async function realServers(): Promise<ServerAddresses> {
  return {
    brokers: await stackAddress('brokers'),
    registryUrl: await stackAddress('registryUrl'),
    redisUrl: await stackAddress('redisUrl'),
  }
}

/** Records on some topics, all partitions together. */
export async function countRecords({ broker }: Pick<OpenLog, 'broker'>, topics: readonly string[]): Promise<number> {
  const offsets = await Promise.all(topics.map((topic) => broker.admin.offsets(topic)))
  return offsets.flat().reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
}

function watch(running: Running, files: readonly string[]): AgentProcess {
  const { child } = running
  const healthUrl = (): string | undefined => /health on (\S+)\/ready/.exec(running.stderr())?.[1]
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const what = `${files.join(', ')} to be ready`
  const ready = waitFor(() => hasEnded() || healthUrl(), { timeoutMs: START_TIMEOUT_MS, what }).then(() => {
    if (hasEnded()) throw new Error(`${files.join(', ')} ended: ${running.stderr()}`)
  })
  // A test that expects the start to fail looks at the end instead.
  ready.catch(() => undefined)
  return {
    pid: child.pid ?? -1,
    ready,
    running,
    address: () => new URL(healthUrl() ?? '').host,
    health: async (path) => {
      const response = await fetch(`${healthUrl() ?? ''}/${path}`)
      const { problems } = (await response.json()) as { problems: readonly string[] }
      return { status: response.status, problems }
    },
    end: async (signal) => {
      if (!hasEnded()) child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      return running.ended.finally(() => clearTimeout(timer))
    },
  }
}
