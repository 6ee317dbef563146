/** Runs one agent in this process: its member of the consumer group and the handling of its records, from start to drain. */
import { describeUnknown, isLabanError, LabanError } from '../../contracts/errors.ts'
import type { Agent } from '../agent.ts'
import { AgentConsumer } from '../consume/agent-consumer.ts'
import type { PartitionFigures } from '../consume/partition.ts'
import type { Standstill } from '../consume/standstill.ts'
import type { Task } from '../consume/task.ts'
import type { Broker, TopicPartition } from '../ports/broker.ts'
import { delay } from '../ports/clock.ts'
import { errorFields } from '../ports/logger.ts'
import { lostFact } from './lost-fact.ts'
import type { HandlingDeps } from './deps.ts'
import type { ConsumeLimits } from './consume-limits.ts'
import { FailureGate } from './failure-gate.ts'
import { ForgottenLetters } from './forgotten-letters.ts'
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
  /** True between the first assignment and the drain, while no member of it is being made anew. */
  readonly isConsuming: boolean
  /** The brokers do not answer its members. */
  readonly isCutOff: boolean
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

/** The two groups of an agent. */
type Member = 'events' | 'retries'

/** See the file's head. */
export class AgentRunner {
  readonly #options: AgentRunnerOptions
  readonly #handling: Handling
  readonly #crashesAtMs: number[] = []
  readonly #retries: RetryMember
  readonly #gate: FailureGate
  readonly #forgotten: ForgottenLetters
  #laneLimit = Number.POSITIVE_INFINITY
  #consumer: AgentConsumer | undefined
  /** Members that are being made anew, and those that the brokers do not answer. */
  readonly #down = new Set<Member>()
  readonly #cutOff = new Set<Member>()
  #isStarted = false
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
    this.#forgotten = new ForgottenLetters({
      ...{ clock, log },
      held: () => this.#consumer?.positions ?? [],
      release: (at) => this.#handling.passForgotten(at),
    })
    this.#retries = new RetryMember({
      ...options,
      handling: this.#handling,
      onLost: (at, from, to) => this.#reportLost(at, from, to),
      onCrash: (error) => void this.#rebuild('retries', error),
      onAvailability: (isAvailable, error) => this.#onBroker('retries', isAvailable, error),
    })
  }

  get status(): AgentStatus {
    return {
      agent: this.#options.deps.agent.name,
      isConsuming: this.#isStarted && this.#down.size === 0,
      isCutOff: this.#cutOff.size > 0,
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

  /** Partitions of the agent's own topics that this process holds. */
  get partitions(): readonly PartitionFigures[] {
    return this.#consumer?.figures ?? []
  }

  /** When the oldest of the events that this process holds was appended, epoch ms; undefined when it holds none. */
  get oldestAtMs(): number | undefined {
    const times = this.partitions.flatMap(({ oldest }) => (oldest === undefined ? [] : [oldest.timestampMs]))
    const oldestAtMs = Math.min(...times, this.#retries.oldestAtMs ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(oldestAtMs) ? oldestAtMs : undefined
  }

  /** Joins the consumer groups. Resolves when the first assignments have arrived. */
  async start(): Promise<void> {
    await Promise.all([this.#join(), this.#retries.start()])
    this.#isStarted = !this.#stopping
    this.#forgotten.start()
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
        onAvailability: (isAvailable, error) => this.#onBroker('events', isAvailable, error),
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
    this.#isStarted = false
    this.#gate.stop()
    this.#forgotten.stop()
    const mayLeave = (): Promise<boolean> => this.#hasOthers()
    const drained = Promise.all([this.#consumer?.drain(drainTimeoutMs, mayLeave), this.#retries.drain(drainTimeoutMs)])
    this.#handling.leave()
    await drained
    this.#handling.abort()
    await this.#handling.settled()
    await Promise.all([this.#consumer?.stop(), this.#retries.stop()])
    await this.#options.deps.deaths?.tenure.settled()
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
      onGivenUp: (home) => deps.deaths?.tenure.giveUp(home),
      onLost: (at, from, to) => this.#reportLost(at, from, to),
      onCrash: (error) => void this.#rebuild('events', error),
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
  async #rebuild(member: Member, crash: unknown): Promise<void> {
    const { clock, signal } = this.#options.deps
    this.#down.add(member)
    for (let error = crash; !this.#stopping;) {
      const isShutOut = isLabanError(error) && SHUT_OUT.has(error.code)
      // While the brokers are away no member can be made: that is no fault of the member, however long it takes.
      const isAway = error !== crash && isLabanError(error) && error.errorClass === 'retry'
      if (this.#isHopeless(error, isShutOut || isAway)) return
      await delay(clock, isShutOut ? SHUT_OUT_DELAY_MS : REBUILD_DELAY_MS, signal)
      if (this.#stopping) return
      try {
        await (member === 'events' ? this.#join() : this.#retries.start())
        this.#down.delete(member)
        this.#cutOff.delete(member)
        return
      } catch (failure) {
        error = failure
      }
    }
  }

  /** Says why a consumer has stopped, and ends the process when that is to no avail. */
  #isHopeless(error: unknown, mayPass: boolean): boolean {
    const { deps, onFatal } = this.#options
    if (this.#stopping) return true
    const nowMs = deps.clock.steadyMs()
    if (!mayPass) this.#crashesAtMs.push(nowMs)
    const recent = this.#crashesAtMs.filter((atMs) => nowMs - atMs < REBUILD_WINDOW_MS).length
    deps.log.error('consumer stopped', { ...errorFields(error), recent })
    const isStartup = isLabanError(error) && error.errorClass === 'startup'
    if (!isStartup && (mayPass || recent <= MAX_REBUILDS)) return false
    onFatal(isStartup ? error : this.#keepsStopping(error))
    return true
  }

  #onBroker(member: Member, isAvailable: boolean, error: unknown): void {
    const { log } = this.#options.deps
    const wasCutOff = this.#cutOff.size > 0
    if (isAvailable) this.#cutOff.delete(member)
    else this.#cutOff.add(member)
    const isCutOff = this.#cutOff.size > 0
    if (isCutOff && !wasCutOff) log.warn('the brokers do not answer; consumption waits', errorFields(error))
    if (wasCutOff && !isCutOff) log.info('the brokers answer again')
  }

  /** Missing rights are said as they are: their remedy is not a restart. */
  #keepsStopping(error: unknown): LabanError {
    if (isLabanError(error) && error.code === 'LABAN_BROKER_DENIED') return error
    const details = { agent: this.#options.deps.agent.name, problem: describeUnknown(error) }
    return new LabanError('LABAN_CONSUMER_STOPPED', details, { cause: error })
  }
}
