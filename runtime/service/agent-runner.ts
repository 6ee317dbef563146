/** Runs one agent in this process: its member of the consumer group and the handling of its records, from start to drain. */
import { describeUnknown, isLabanError, LabanError } from '../../contracts/errors.ts'
import type { Agent } from '../agent.ts'
import { AgentConsumer } from '../consume/agent-consumer.ts'
import type { Standstill } from '../consume/standstill.ts'
import type { Task } from '../consume/task.ts'
import type { Broker, TopicPartition } from '../ports/broker.ts'
import { delay } from '../ports/clock.ts'
import { lostFact } from './lost-fact.ts'
import type { HandlingDeps } from './deps.ts'
import type { ConsumeLimits } from './consume-limits.ts'
import { FailureGate } from './failure-gate.ts'
import { Handling } from './handling.ts'
import { RetryMember } from './retry-member.ts'

export interface AgentRunnerOptions {
  readonly broker: Broker
  readonly limits: ConsumeLimits
  readonly deps: Omit<HandlingDeps, 'finish'>
  /** The consumer cannot be kept alive: the process should end, not ready. */
  readonly onFatal: (error: unknown) => void
}

/** What one agent is doing now. */
export interface AgentStatus {
  readonly agent: string
  /** True between the first assignment and the drain. */
  readonly isConsuming: boolean
  readonly running: number
  readonly open: number
  /** Suspended handlings whose timers this process keeps. */
  readonly sleeping: number
  /** Handlings whose outputs the broker refuses. */
  readonly blocked: number
  /** Why it has stopped consuming, when most of its records failed. */
  readonly failing: string | undefined
  /** Partitions that commit nothing because of one record that takes long; other keys go on. */
  readonly standstills: readonly Standstill[]
  readonly positions: readonly (TopicPartition & { readonly offset: number })[]
  /** `topic/partition` to the offset at which this instance's subscription began. */
  readonly subscribedFrom: Readonly<Record<string, number>>
}

const REBUILD_DELAY_MS = 1_000
const MAX_REBUILDS = 3
const REBUILD_WINDOW_MS = 600_000
/** A login or certificate that is being renewed: the new one is read at the next try, however long that takes. */
const SHUT_OUT: ReadonlySet<string> = new Set(['LABAN_BROKER_LOGIN', 'LABAN_BROKER_UNTRUSTED'])
const SHUT_OUT_DELAY_MS = 5_000

/** See the file's head. */
export class AgentRunner {
  readonly #options: AgentRunnerOptions
  readonly #handling: Handling
  readonly #crashesAtMs: number[] = []
  readonly #retries: RetryMember
  readonly #gate: FailureGate
  #laneLimit = Number.POSITIVE_INFINITY
  #consumer: AgentConsumer | undefined
  #isConsuming = false
  #stopping = false

  constructor(options: AgentRunnerOptions) {
    this.#options = options
    const { agent, clock, log } = options.deps
    this.#gate = new FailureGate({ agent: agent.name, clock, log, onLimit: (lanes) => this.#limitLanes(lanes) })
    this.#handling = new Handling({
      ...options.deps,
      finish: (task: Task) => this.#consumer?.finish(task),
      onEnded: (hasFailed, count) => this.#gate.ended(hasFailed, count),
      isPinning: (task: Task) => this.#consumer?.isPinning(task) === true,
      onWaiting: () => this.#consumer?.makeRoom(),
    })
    this.#retries = new RetryMember({
      ...options,
      handling: this.#handling,
      onLost: (at, from, to) => this.#reportLost(at, from, to),
      onCrash: (error) => void this.#rebuild(error, () => this.#retries.start()),
    })
  }

  get status(): AgentStatus {
    return {
      agent: this.#options.deps.agent.name,
      isConsuming: this.#isConsuming,
      running: (this.#consumer?.runningCount ?? 0) + this.#retries.runningCount,
      open: (this.#consumer?.openCount ?? 0) + this.#retries.openCount,
      sleeping: this.#retries.sleepingCount,
      blocked: this.#handling.blockedCount,
      failing: this.#gate.problem?.message,
      standstills: this.#consumer?.standstills ?? [],
      positions: this.#consumer?.positions ?? [],
      subscribedFrom: Object.fromEntries(this.#consumer?.subscribedFrom ?? []),
    }
  }

  /** Joins the consumer groups. Resolves when the first assignments have arrived. */
  async start(): Promise<void> {
    await Promise.all([this.#join(), this.#retries.start()])
    this.#isConsuming = !this.#stopping
  }

  async #join(): Promise<void> {
    const { broker, limits, deps } = this.#options
    const { agent } = deps
    const consumer = this.#makeConsumer(agent)
    consumer.limitLanes(this.#laneLimit)
    this.#consumer = consumer
    const port = await broker.consumer(
      {
        group: agent.name,
        topics: agent.topics,
        startFrom: agent.startFrom,
        sessionTimeoutMs: limits.sessionTimeoutMs,
        heartbeatIntervalMs: limits.heartbeatIntervalMs,
      },
      consumer,
    )
    consumer.attach(port)
    if (this.#stopping) await consumer.stop()
  }

  /** See {@link Handling.loseLease}. */
  loseLease(): void {
    this.#handling.loseLease()
  }

  /** Starts nothing new, waits for running handlers, commits, leaves the group. */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#stopping = true
    this.#isConsuming = false
    this.#gate.stop()
    const mayLeave = (): Promise<boolean> => this.#hasOthers()
    const drained = Promise.all([this.#consumer?.drain(drainTimeoutMs, mayLeave), this.#retries.drain(drainTimeoutMs)])
    this.#handling.leave()
    await drained
    this.#handling.abort()
    await this.#handling.settled()
    await Promise.all([this.#consumer?.stop(), this.#retries.stop()])
  }

  /** Whether somebody else would take the partitions over, and knows from the store what is under way here. */
  async #hasOthers(): Promise<boolean> {
    const { broker, deps } = this.#options
    if (!deps.dedup) return false
    try {
      return (await broker.admin.describeGroup(deps.agent.name)).members > 1
    } catch (error) {
      deps.log.debug('cannot see who else is in the group', { problem: describeUnknown(error) })
      return false
    }
  }

  #limitLanes(lanes: number): void {
    this.#laneLimit = lanes
    this.#consumer?.limitLanes(lanes)
  }

  #makeConsumer(agent: Agent): AgentConsumer {
    const { limits, deps } = this.#options
    return new AgentConsumer({
      order: agent.order,
      onRevoke: agent.onRevoke,
      maxInFlight: agent.maxInFlight,
      maxOpen: limits.maxOpen,
      maxOpenBytes: limits.maxOpenBytes,
      waitingCount: () => this.#handling.waitingCount,
      commitIntervalMs: limits.commitIntervalMs,
      clock: deps.clock,
      log: deps.log,
      run: (tasks, free) => this.#handling.run(tasks, free),
      onLost: (at, from, to) => this.#reportLost(at, from, to),
      onCrash: (error) => void this.#rebuild(error, () => this.#join()),
    })
  }

  #reportLost(at: TopicPartition, from: number, to: number): void {
    const { log, facts } = this.#options.deps
    log.error('records are gone from the log before they were handled', { ...at, from, to })
    facts.append(lostFact(this.#options.deps, at, from, to)).catch((error: unknown) => {
      log.error('lost fact not written', { problem: describeUnknown(error) })
    })
  }

  /** A consumer that has stopped for good is made anew; one that keeps stopping ends the process. */
  async #rebuild(error: unknown, join: () => Promise<void>): Promise<void> {
    const { deps, onFatal } = this.#options
    if (this.#stopping) return
    this.#isConsuming = false
    const nowMs = deps.clock.nowMs()
    const isShutOut = isLabanError(error) && SHUT_OUT.has(error.code)
    if (!isShutOut) this.#crashesAtMs.push(nowMs)
    const recent = this.#crashesAtMs.filter((atMs) => nowMs - atMs < REBUILD_WINDOW_MS).length
    const remedy = isLabanError(error) ? { code: error.code, remedy: error.remedy } : {}
    deps.log.error('consumer stopped', { problem: describeUnknown(error), recent, ...remedy })
    if (isLabanError(error) && error.errorClass === 'startup') return onFatal(error)
    if (recent > MAX_REBUILDS && !isShutOut) return onFatal(this.#keepsStopping(error))
    await delay(deps.clock, isShutOut ? SHUT_OUT_DELAY_MS : REBUILD_DELAY_MS, deps.signal)
    if (this.#stopping) return
    try {
      await join()
      this.#isConsuming = !this.#stopping
    } catch (failure) {
      await this.#rebuild(failure, join)
    }
  }

  /** Missing rights are said as they are: their remedy is not a restart. */
  #keepsStopping(error: unknown): LabanError {
    if (isLabanError(error) && error.code === 'LABAN_BROKER_DENIED') return error
    const details = { agent: this.#options.deps.agent.name, problem: describeUnknown(error) }
    return new LabanError('LABAN_CONSUMER_STOPPED', details, { cause: error })
  }
}
