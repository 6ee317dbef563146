/**
 * This process's member of the group `<agent>.retry`: the agent's retry topics, its redrives and its timers. A group of its own, so that waiting
 * there never holds up the topics that the agent consumes.
 */
import { retryGroup, retryTierTopic } from '../../contracts/agent-topics.ts'
import { agentTopic } from '../../contracts/contract.ts'
import { AgentConsumer } from '../consume/agent-consumer.ts'
import type { Task } from '../consume/task.ts'
import type { Broker, TopicPartition } from '../ports/broker.ts'
import { DueGate } from '../retry/due-gate.ts'
import { readHandover } from '../retry/handover.ts'
import { Timekeeper } from '../timers/timekeeper.ts'
import type { ConsumeLimits } from './consume-limits.ts'
import type { HandlingDeps } from './deps.ts'
import type { Handling } from './handling.ts'

/** These topics are empty most of the time: each fetch waits longer than those of events. */
const MAX_WAIT_MS = 500

export interface RetryMemberOptions {
  readonly broker: Broker
  readonly limits: ConsumeLimits
  readonly deps: Omit<HandlingDeps, 'finish'>
  readonly handling: Handling
  readonly onLost: (at: TopicPartition, from: number, to: number) => void
  readonly onCrash: (error: unknown) => void
  /** See `ConsumerOptions.onAvailability`. */
  readonly onAvailability: (isAvailable: boolean, error?: unknown) => void
}

/** See the file's head. Started anew after a crash. */
export class RetryMember {
  readonly #options: RetryMemberOptions
  #consumer: AgentConsumer | undefined
  #timekeeper: Timekeeper | undefined
  #isStopping = false

  constructor(options: RetryMemberOptions) {
    this.#options = options
  }

  get runningCount(): number {
    return this.#consumer?.runningCount ?? 0
  }

  get openCount(): number {
    return this.#consumer?.openCount ?? 0
  }

  /** Sleeping handlings whose timers are kept here. */
  get sleepingCount(): number {
    return this.#timekeeper?.count ?? 0
  }

  /** When the oldest event that runs or waits its turn here was first appended, epoch ms; those that are not due do not count. */
  get oldestAtMs(): number | undefined {
    const times = (this.#consumer?.figures ?? []).flatMap(({ oldest }) =>
      oldest === undefined ? [] : [appendedAtMs(oldest)],
    )
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Joins the group. Resolves when the first assignment has arrived. */
  async start(): Promise<void> {
    const { broker, limits, deps, onAvailability } = this.#options
    const { name, retry } = deps.agent
    const consumer = this.#makeConsumer()
    const gate = new DueGate(consumer, deps.clock)
    this.#consumer = consumer
    const timekeeper = this.#makeTimekeeper(gate)
    this.#timekeeper = timekeeper
    const port = await broker.consumer(
      {
        group: retryGroup(name),
        topics: [
          ...[agentTopic(name, 'timers'), agentTopic(name, 'retry.redrive')],
          ...retry.tiersMs.map((delayMs) => retryTierTopic(name, delayMs)),
        ],
        startFrom: 'earliest',
        sessionTimeoutMs: limits.sessionTimeoutMs,
        heartbeatIntervalMs: limits.heartbeatIntervalMs,
        maxWaitMs: MAX_WAIT_MS,
        onAvailability,
      },
      timekeeper,
    )
    gate.attach(port)
    consumer.attach(gate)
    timekeeper.attach(port)
    if (this.#isStopping) await this.stop()
  }

  /** Starts nothing new and waits for what runs. */
  async drain(timeoutMs: number): Promise<void> {
    this.#isStopping = true
    await this.#consumer?.drain(timeoutMs)
  }

  /** Commits and leaves the group. */
  async stop(): Promise<void> {
    await this.#timekeeper?.stop()
    await this.#consumer?.stop()
  }

  #makeTimekeeper(gate: DueGate): Timekeeper {
    const { broker, limits, deps } = this.#options
    const { agent, producer, clock, log, onBug } = deps
    const { commitIntervalMs } = limits
    return new Timekeeper(
      { agent: agent.name, broker, append: (records) => producer.append(records), clock, log, commitIntervalMs, onBug },
      gate,
    )
  }

  #makeConsumer(): AgentConsumer {
    const { limits, deps, handling, onLost, onCrash } = this.#options
    const { agent, clock, log } = deps
    const consumer: AgentConsumer = new AgentConsumer({
      order: agent.order,
      onRevoke: agent.onRevoke,
      maxInFlight: agent.maxInFlight,
      maxOpen: limits.maxOpen,
      maxOpenBytes: limits.maxOpenBytes,
      commitIntervalMs: limits.commitIntervalMs,
      clock,
      log,
      run: (records, free) => handling.runHanded(records, free, (record: Task) => consumer.finish(record)),
      onLost,
      onCrash,
    })
    return consumer
  }
}

/** When the event of a handed-over record was first appended. */
function appendedAtMs({ headers, timestampMs }: Task): number {
  return readHandover(headers)?.origin.timestampMs ?? timestampMs
}
