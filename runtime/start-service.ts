/** `startService`: runs agents from a program's own main file, as `laban run` does from the command line. */
import type { Agent } from './agent.ts'
import { createLogger, createService, openEmbedded, openKafka, openTracing, type Stack } from './compose.ts'
import { localStackValues } from './config/local-stack.ts'
import type { KafkaLogin } from './compose/kafka-access.ts'
import { loadConfig } from './config/load.ts'
import type { ConfigInput } from './config/schema.ts'
import type { Logger } from './ports/logger.ts'
import { publisherOn, type Publisher, type PublisherOptions } from './publisher.ts'
import type { MetricSnapshot } from '../tracing/metric-snapshot.ts'
import type { Metrics } from '../tracing/metrics-setup.ts'
import { openMetrics } from './compose/metrics.ts'
import { startingHealth, type Health } from './service/health-server.ts'
import type { Service } from './service/service.ts'

/** Which agents, and where. */
export interface StartServiceOptions {
  /** Made by `defineAgent`; names must differ. */
  readonly agents: readonly Agent[]
  /** Configuration in code, shaped like `laban.config.json`; counts more than file and environment. @default none */
  readonly config?: ConfigInput
  /** What a file cannot hold: a function that gives tokens for OAUTHBEARER. @default what the configuration says */
  readonly kafka?: KafkaLogin
  /** `embedded`: everything in this process and gone with it; nothing installed. @default 'kafka' */
  readonly on?: 'kafka' | 'embedded'
  /** @default a log as configured */
  readonly log?: Logger
}

/** Agents that run in this process. */
export interface RunningService {
  /** What to answer to liveness and readiness probes: `isReady`, and why not. */
  readonly health: Health
  /**
   * Resolves after `stop`; rejects with what ended the service when it could not go on, after what it held is released.
   * A program that waits for nothing else awaits this; left alone, a rejection ends the process, as it should.
   */
  readonly ended: Promise<void>
  /**
   * The metrics of these agents in Prometheus's text format (`text/plain; version=0.0.4`), to be served where Prometheus looks for
   * them. Empty when `metrics.enabled` is false. Meters of the program itself are left to its own set-up.
   */
  metrics(): Promise<string>
  /** A publisher on the same servers; it ends with the service. @throws LABAN_SCHEMA_MISSING */
  createPublisher(options?: Pick<PublisherOptions, 'source'>): Promise<Publisher>
  /** Drains: running handlers finish (at most `drainTimeoutMs`), offsets are committed, connections closed. Twice is harmless. */
  stop(): Promise<void>
}

/**
 * Starts agents and resolves when they consume. Signals are left to the program.
 * @throws start-up errors, each naming the command that helps: LABAN_CONFIG_INVALID, LABAN_CONTRACT_INVALID, LABAN_TOPIC_MISSING,
 * LABAN_SCHEMA_MISSING, LABAN_STORE_UNSAFE, LABAN_BROKER_UNAVAILABLE, LABAN_BROKER_LOGIN, LABAN_BROKER_UNTRUSTED,
 * LABAN_BROKER_DENIED, LABAN_STORE_UNAVAILABLE, LABAN_STORE_REFUSED
 * @example
 * const service = await startService({ agents: [confirmOrder] })
 * process.once('SIGTERM', () => void service.stop())
 * await service.ended
 */
export async function startService(options: StartServiceOptions): Promise<RunningService> {
  const { agents, on = 'kafka' } = options
  const { config } = loadConfig({ overrides: options.config, fallback: localStackValues() })
  const log = options.log ?? createLogger(config.log)
  const stack = await (on === 'embedded'
    ? openEmbedded({ config, log })
    : openKafka({ config, log, kafka: options.kafka }))
  const serviceName = agents[0]?.name ?? 'laban'
  const program = new ProgramService(stack, serviceName)
  try {
    const tracing = await openTracing(config, { serviceName, log })
    program.onStop(() => tracing.shutdown())
    const { tracer } = tracing
    program.service = await createService(stack, agents, { tracer, onFatal: (error) => void program.end(error) })
    await program.service.start()
    if (config.metrics.otlpUrl !== undefined) await program.exportMetrics()
    return program
  } catch (error) {
    program.ended.catch(() => undefined)
    await program.stop()
    throw error
  }
}

/** See {@link RunningService}. */
class ProgramService implements RunningService {
  service: Service | undefined
  readonly ended: Promise<void>
  readonly #stack: Stack
  /** Run in reverse order, before the stack is closed. */
  readonly #closers: (() => Promise<void>)[] = []
  readonly #settle: (outcome: Promise<void>) => void
  readonly #serviceName: string
  #stopping: Promise<void> | undefined
  #metrics: Promise<Metrics | undefined> | undefined

  constructor(stack: Stack, serviceName: string) {
    this.#stack = stack
    this.#serviceName = serviceName
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#settle = resolve
  }

  get health(): Health {
    return this.service?.health ?? startingHealth
  }

  async metrics(): Promise<string> {
    return (await (await this.exportMetrics())?.text()) ?? ''
  }

  /** Begins the export, once. */
  exportMetrics(): Promise<Metrics | undefined> {
    this.#metrics ??= this.#openMetrics()
    return this.#metrics
  }

  async #openMetrics(): Promise<Metrics | undefined> {
    const { config, log } = this.#stack
    const source = async (): Promise<MetricSnapshot | undefined> => this.service?.metrics()
    const metrics = await openMetrics(config, { serviceName: this.#serviceName, log, source, isGlobal: false })
    if (metrics !== undefined) this.onStop(() => metrics.shutdown())
    return metrics
  }

  async createPublisher(options: Pick<PublisherOptions, 'source'> = {}): Promise<Publisher> {
    const publisher = await publisherOn(this.#stack, options)
    this.onStop(() => publisher.close())
    return publisher
  }

  onStop(close: () => Promise<void>): void {
    this.#closers.push(close)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    this.#settle(this.#stopping)
    return this.#stopping
  }

  /** The service cannot go on. */
  async end(error: unknown): Promise<void> {
    const stopping = (this.#stopping ??= this.#stop())
    const failed = stopping.then(
      () => Promise.reject(error as Error),
      () => Promise.reject(error as Error),
    )
    this.#settle(failed)
    await stopping.catch(() => undefined)
  }

  async #stop(): Promise<void> {
    await this.service?.stop()
    for (const close of this.#closers.toReversed()) await close()
    await this.#stack.close()
  }
}
