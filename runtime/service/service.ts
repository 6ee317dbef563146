/** One process: starting > running > draining > stopped. Wires the stages for its agents and owns their order of start and stop. */
import { deadLettersKept } from '../../contracts/agent-topics.ts'
import { EnvelopeBlocks } from '../../contracts/envelope-block.ts'
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { EventCodec } from '../../contracts/codec.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { physicalTopic } from '../../contracts/contract.ts'
import { describeUnknown, isLabanError, LabanError } from '../../contracts/errors.ts'
import { compileRule } from '../../contracts/rules.ts'
import type { EventTracer } from '../../tracing/event-tracer.ts'
import { HandlingMeter } from '../../tracing/handling-meter.ts'
import type { MetricSnapshot } from '../../tracing/metric-snapshot.ts'
import { Admission } from '../admit/admission.ts'
import { LeaseKeeper } from '../admit/lease-keeper.ts'
import { Tenure } from '../admit/tenure.ts'
import { Trials } from '../admit/trials.ts'
import type { Agent } from '../agent.ts'
import { describeStandstill } from '../consume/standstill.ts'
import { Parking } from '../park/parking.ts'
import { Recovery } from '../recover/recovery.ts'
import type { Broker } from '../ports/broker.ts'
import type { ClaimOptions, Store } from '../ports/claim-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { ResultStore } from '../ports/result-store.ts'
import { errorFields, type Logger } from '../ports/logger.ts'
import { BatchingProducer } from '../publish/batching-producer.ts'
import { FactWriter } from '../publish/fact-writer.ts'
import { AgentMetrics } from './agent-metrics.ts'
import { AgentRunner } from './agent-runner.ts'
import type { ConsumeLimits } from './consume-limits.ts'
import type { Health } from './health-server.ts'
import { ManifestKeeper } from './manifest-keeper.ts'
import { problemsOf, type Problems } from './problems.ts'
import { readServiceMetrics, type Dependency } from './service-metrics.ts'

export interface ServiceOptions {
  readonly agents: readonly Agent[]
  readonly broker: Broker
  readonly store: Store
  readonly contracts: ContractSet
  readonly codec: EventCodec
  /** This process's schema ids by topic; announced in manifests. */
  readonly schemaIds: ReadonlyMap<string, number>
  readonly tracer: EventTracer
  readonly clock: Clock
  readonly log: Logger
  readonly namespace: string
  readonly leaseMs: number
  readonly drainTimeoutMs: number
  readonly limits: ConsumeLimits
  /** Largest send. @default 900000 */
  readonly maxBatchBytes?: number
  /** Largest result of a step that the store keeps. @default 65536 */
  readonly maxResultBytes?: number
  /** Where larger ones go. @default nowhere: they are refused */
  readonly results?: ResultStore
  /** False only in tests that show what dedup is for. */
  readonly dedup: boolean
  /** Told when the process cannot go on: a broken invariant, a newer stored format, a consumer that keeps stopping. */
  readonly onFatal: (error: unknown) => void
  /** @default host, pid and eight random hex digits: one incarnation of one process */
  readonly instance?: string
}

const MAX_RESULT_BYTES = 65_536
const FLUSH_TIMEOUT_MS = 5_000

/** See the file's head. Start once, stop once. */
export class Service {
  readonly instance: string
  readonly #options: ServiceOptions
  readonly #giveUp = new AbortController()
  /** By part of this process. */
  readonly #away = new Map<object, 'the store' | 'the broker'>()
  /** Schemas that the registry does not give. */
  #missedSchemas = 0
  /** Parts that the store has told that it lost its memory. */
  readonly #lost = new Set<object>()
  #state: Health['state'] = 'starting'
  #parts:
    | {
        readonly runners: Map<Agent, AgentRunner>
        readonly recoveries: ReadonlyMap<Agent, Recovery>
        readonly metrics: readonly AgentMetrics[]
        readonly leases: LeaseKeeper
        readonly manifests: ManifestKeeper
        readonly producer: BatchingProducer
      }
    | undefined

  constructor(options: ServiceOptions) {
    this.#options = options
    this.instance = options.instance ?? `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
  }

  /** Takes the lease, joins the consumer groups, announces the agents. */
  async start(): Promise<void> {
    const { broker, clock, log, maxBatchBytes } = this.#options
    const producer = new BatchingProducer({
      producer: await broker.producer(),
      clock,
      log,
      ...(maxBatchBytes === undefined ? {} : { maxBatchBytes }),
    })
    const leases = this.#leaseKeeper()
    await leases.start()
    const made = this.#options.agents.map((agent) => ({ agent, ...this.#runner(agent, producer, leases) }))
    const runners = new Map(made.map(({ agent, runner }) => [agent, runner]))
    const recoveries = new Map(
      made.flatMap(({ agent, recovery }) => (recovery === undefined ? [] : [[agent, recovery]])),
    )
    const manifests = new ManifestKeeper({
      ...this.#options,
      instance: this.instance,
      runners,
      producer,
      problemsOf: (agent) => this.#problemsOf(agent),
    })
    const metrics = made.map((parts) => parts.metrics)
    this.#parts = { runners, recoveries, metrics, leases, manifests, producer }
    await Promise.all([...recoveries.values()].map((recovery) => recovery.start()))
    await Promise.all([...runners.values()].map((runner) => runner.start()))
    await manifests.start()
    this.#state = 'running'
    log.info('running', { instance: this.instance, agents: this.#options.agents.map((agent) => agent.name) })
  }

  /** Drains, commits, leaves, announces the end; the lease goes last. Calling it again waits for the first call's end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  #stopping: Promise<void> | undefined

  get health(): Health {
    const agents = [...(this.#parts?.runners.values() ?? [])].map((runner) => runner.status)
    const waiting = this.#parts?.producer.problem
    const away = this.#awayNow(agents.some((status) => status.isCutOff))
    const recovering = [...(this.#parts?.recoveries.values() ?? [])].flatMap(({ problem }) => problem ?? [])
    const problems = [...recovering, ...[...away].map((what) => `${what} does not answer`)]
    if (waiting !== undefined && waiting.code !== 'LABAN_BROKER_UNAVAILABLE') problems.push(waiting.message)
    for (const status of agents) {
      if (!status.isConsuming) problems.push(`${status.agent} does not consume`)
      if (status.failing !== undefined) problems.push(status.failing)
      if (status.blocked > 0) problems.push(`${status.agent}: publish blocked for ${status.blocked} handlings`)
    }
    if (this.#state !== 'running') problems.unshift(`the process is ${this.#state}`)
    const warnings = agents.flatMap(({ agent, standstills }) =>
      standstills.map((standstill) => `${agent}: ${describeStandstill(standstill)}`),
    )
    return { state: this.#state, isReady: problems.length === 0, problems, warnings, agents }
  }

  /** What this process can tell of itself now, by the table of metrics; nothing before it has started. */
  async metrics(): Promise<MetricSnapshot | undefined> {
    if (this.#parts === undefined) return undefined
    const { metrics, leases, runners } = this.#parts
    const health = (): Health => this.health
    const away = (): ReadonlySet<Dependency> => {
      const servers = this.#awayNow([...runners.values()].some((runner) => runner.status.isCutOff))
      return new Set([
        ...(servers.has('the broker') ? (['broker'] as const) : []),
        ...(servers.has('the store') ? (['store'] as const) : []),
        ...(this.#missedSchemas > 0 ? (['registry'] as const) : []),
      ])
    }
    return readServiceMetrics({ agents: metrics, leases, health, away })
  }

  #awayNow(isCutOff: boolean): ReadonlySet<'the store' | 'the broker'> {
    const cannotSend = this.#parts?.producer.problem?.code === 'LABAN_BROKER_UNAVAILABLE'
    return new Set([...this.#away.values(), ...(isCutOff || cannotSend ? (['the broker'] as const) : [])])
  }

  /** What keeps one agent of this process from consuming. */
  #problemsOf(agent: Agent): Problems {
    const { runners, recoveries, producer } = this.#parts ?? {}
    const status = runners?.get(agent)?.status
    if (status === undefined) return {}
    return problemsOf({
      status,
      isLost: this.#lost.size > 0,
      missesSchema: this.#missedSchemas > 0,
      away: this.#awayNow(status.isCutOff),
      recovering: recoveries?.get(agent)?.problem,
      sending: producer?.problem?.message,
    })
  }

  /** The same of all agents, for the lease: '' when nothing is wrong. */
  #leaseNote(): string {
    const told = this.#options.agents.flatMap((agent) => {
      const problems = this.#problemsOf(agent)
      return Object.keys(problems).length === 0 ? [] : [[agent.name, problems] as const]
    })
    return told.length === 0 ? '' : JSON.stringify(Object.fromEntries(told))
  }

  async #stop(): Promise<void> {
    const { drainTimeoutMs, log } = this.#options
    this.#state = 'draining'
    if (this.#parts === undefined) return
    const { runners, leases, manifests, producer } = this.#parts
    // A server that is away must not hold the process longer than the drain may take.
    const cancel = this.#options.clock.after(drainTimeoutMs + FLUSH_TIMEOUT_MS, () => {
      this.#giveUp.abort()
      void producer.close(0)
    })
    await Promise.all([...runners.values()].map((runner) => runner.stop(drainTimeoutMs)))
    if (!this.#giveUp.signal.aborted) await manifests.stop()
    this.#giveUp.abort()
    cancel()
    await producer.close(FLUSH_TIMEOUT_MS)
    await leases.stop()
    this.#state = 'stopped'
    log.info('stopped', { instance: this.instance })
  }

  #leaseKeeper(): LeaseKeeper {
    const { store, leaseMs, clock, log } = this.#options
    return new LeaseKeeper({
      leases: store.leases,
      instance: this.instance,
      leaseMs,
      clock,
      log,
      note: () => this.#leaseNote(),
      onAvailability: this.#availability(),
      onLost: () => void this.#loseLease(),
    })
  }

  /** A lease that went with everything else was taken over by nobody: what this process holds is told to the store again. */
  async #loseLease(): Promise<void> {
    const { runners, recoveries } = this.#parts ?? {
      runners: new Map<Agent, AgentRunner>(),
      recoveries: new Map<Agent, Recovery>(),
    }
    try {
      const lost = await Promise.all([...recoveries.values()].map((recovery) => recovery.check()))
      if (lost.includes(true)) return
    } catch (error) {
      this.#options.log.debug('cannot see why the lease is gone', { problem: describeUnknown(error) })
    }
    this.#options.log.warn('lease lost; work may have been taken over', { instance: this.instance })
    for (const runner of runners.values()) runner.loseLease()
  }

  #runner(
    agent: Agent,
    producer: BatchingProducer,
    leases: LeaseKeeper,
  ): { readonly runner: AgentRunner; readonly recovery: Recovery | undefined; readonly metrics: AgentMetrics } {
    const { broker, store, contracts, codec, tracer, clock, namespace, limits, dedup, onFatal } = this.#options
    const log = this.#options.log.child({ agent: agent.name })
    const { signal } = this.#giveUp
    const kept = { dedupMs: agent.dedupMs, joinTtlMs: agent.joinWithinMs, recovers: dedup }
    const admission = new Admission({
      agent: agent.name,
      claims: store.claimsOf(agent.name, kept),
      clock,
      signal,
      onAvailability: this.#availability(),
      onLost: () => recovery?.lost(),
    })
    const meter = new HandlingMeter(agent.name, agent.topics)
    const parking = this.#parking(agent, log)
    const runner = new AgentRunner({
      broker,
      limits,
      onFatal,
      deps: {
        agent,
        group: physicalTopic(agent.name, namespace),
        instance: this.instance,
        contractOf: (topic) => contracts.get(topic),
        codec,
        envelopes: new EnvelopeBlocks(),
        admission,
        leases,
        producer,
        facts: new FactWriter(producer, codec, (facts) => meter.written(facts, clock.nowMs())),
        tracer,
        meter,
        clock,
        log,
        accepts: compileAccepts(agent, contracts),
        parking,
        deaths: dedup ? this.#deaths(agent, leases, log) : undefined,
        steps: { maxResultBytes: this.#options.maxResultBytes ?? MAX_RESULT_BYTES, results: this.#options.results },
        dedup,
        signal,
        onRegistry: (isAvailable) => (this.#missedSchemas += isAvailable ? -1 : 1),
        onBug: onFatal,
      },
    })
    const recovery = dedup ? this.#recovery({ agent, admission, leases, runner, log, kept }) : undefined
    const { admin } = broker
    const metrics = new AgentMetrics({ agent, runner, meter, parking, admin, clock, maxOpen: limits.maxOpen })
    return { runner, recovery, metrics }
  }

  #recovery(parts: {
    readonly agent: Agent
    readonly admission: Admission
    readonly leases: LeaseKeeper
    readonly runner: AgentRunner
    readonly log: Logger
    readonly kept: ClaimOptions
  }): Recovery {
    const { broker, store, codec, clock, leaseMs, onFatal } = this.#options
    const { agent, admission, leases, runner, log, kept } = parts
    return new Recovery({
      ...{ agent, admission, broker, codec, clock, log, leaseMs, onFatal },
      instance: this.instance,
      store: store.recoveryOf(agent.name, kept),
      isMember: () => runner.status.isConsuming,
      onNewMemory: () => leases.pardon(),
      signal: this.#giveUp.signal,
    })
  }

  #deaths(agent: Agent, leases: LeaseKeeper, log: Logger): { tenure: Tenure; trials: Trials } {
    const { store, clock } = this.#options
    const shared = { marks: store.marksOf(agent.name), instance: this.instance, clock }
    const isAlive = (instance: string): Promise<boolean> => leases.isAlive(instance)
    return { tenure: new Tenure({ ...shared, isAlive, log }), trials: new Trials(shared) }
  }

  /** Joins have no order of a key: their members come from several topics. */
  #parking(agent: Agent, log: Logger): Parking | undefined {
    const { broker, store, clock, dedup, contracts } = this.#options
    if (agent.isJoin || agent.order === 'none' || !dedup) return undefined
    const { signal } = this.#giveUp
    const onAvailability = this.#availability()
    const parking = store.parkingOf(agent.name)
    const deadLettersKeptMs = deadLettersKept(agent, contracts)
    return new Parking({
      ...{ agent: agent.name, store: parking, broker, clock, log, signal, onAvailability },
      deadLettersKeptMs,
    })
  }

  /** Tells whether the servers that one part of this process needs answer it. */
  #availability(): (isAvailable: boolean, error?: unknown) => void {
    const part = {}
    return (isAvailable, error) => {
      const { log } = this.#options
      const before = new Set(this.#away.values())
      // Some of what the store holds is read from the log first.
      const isBroker = isLabanError(error) && error.code.startsWith('LABAN_BROKER_')
      if (isAvailable) this.#away.delete(part)
      else this.#away.set(part, isBroker ? 'the broker' : 'the store')
      if (!isAvailable && isLabanError(error) && error.code === 'LABAN_STORE_LOST') this.#lost.add(part)
      else this.#lost.delete(part)
      const now = new Set(this.#away.values())
      for (const what of now) if (!before.has(what)) log.warn(`${what} does not answer; work waits`, errorFields(error))
      for (const what of before) if (!now.has(what)) log.info(`${what} answers again`)
    }
  }
}

function compileAccepts(agent: Agent, contracts: ContractSet): ReadonlyMap<string, (event: unknown) => boolean> {
  return new Map(
    Object.entries(agent.accepts).map(([topic, expression]) => {
      try {
        return [topic, compileRule(expression, { schema: contracts.get(topic).schema })]
      } catch (error) {
        throw new LabanError(
          'LABAN_AGENT_INVALID',
          { agent: agent.name, problem: `accepts of ${topic}: ${describeUnknown(error)}` },
          { cause: error },
        )
      }
    }),
  )
}
