/**
 * Connections to the brokers of one cluster, with fresh metadata per topic. Topics are looked up one at a time and their errors
 * stay theirs: in kafkajs's own clients one deleted or forbidden topic makes every later look-up fail for all topics.
 */
import { LabanError } from '../../../contracts/errors.ts'
import { delay, type Clock } from '../../ports/clock.ts'
import type { KafkaConnection } from './connection.ts'
import type { RecordsCodec } from './fetch-answers.ts'
import { mayPass, toLabanError } from './kafka-errors.ts'
import {
  createErrorFromCode,
  type ClusterMetadata,
  type InternalBroker,
  type InternalCluster,
  type PartitionMetadata,
  type TopicMetadata,
} from './kafkajs-internals.ts'
import { outsideContext } from './outside-context.ts'

/** A topic that was just created is not known to every broker at once. */
const NEW_TOPIC_MS = 5_000
const METADATA_MAX_AGE_MS = 60_000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
/** Error codes of the protocol. */
const UNKNOWN_TOPIC_OR_PARTITION = 3
const LEADER_NOT_AVAILABLE = 5
/** What a coordinator is looked for. */
const GROUP = 0

interface Cached {
  readonly partitions: readonly PartitionMetadata[]
  readonly readAtMs: number
}

/** What a caller may do again: how long, and which topic, group and operation an error names. */
export interface AccessAttempt {
  readonly operation: string
  /** Name without namespace, for errors. */
  readonly topic?: string
  /** Name on the broker, for errors. */
  readonly group?: string
  /** @default 10000 */
  readonly timeoutMs?: number
}

/** Names here are names on the broker, namespace included. */
export class ClusterAccess {
  readonly #connection: KafkaConnection
  readonly #clock: Clock
  readonly #topics = new Map<string, Cached>()
  #cluster: InternalCluster
  #connecting: Promise<void> | undefined
  #refreshing: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(connection: KafkaConnection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#cluster = connection.newCluster()
  }

  get records(): RecordsCodec {
    return this.#connection.records
  }

  get brokers(): readonly string[] {
    return this.#connection.brokers
  }

  /** Who this is, as ACLs name it. */
  get user(): string {
    return this.#connection.user
  }

  /** Resolves when a broker has answered. @throws LABAN_BROKER_UNAVAILABLE */
  async connect(): Promise<void> {
    if (this.#isClosed) throw this.error(new TypeError('the connection is closed'), { operation: 'connect' })
    if (this.#connecting !== undefined && this.#cluster.isConnected()) return this.#connecting
    this.#connecting = outsideContext(() => this.#open())
    try {
      await this.#connecting
    } catch (error) {
      this.#connecting = undefined
      throw this.error(error, { operation: 'connect' })
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#connecting?.catch(() => undefined)
    await this.#cluster.disconnect()
  }

  /**
   * The partitions of a topic, in order. A missing topic is looked for again for a short while: it may be new.
   * @throws LABAN_BROKER_REFUSED when there is no such topic, or it may not be seen
   */
  async partitionsOf(physicalTopic: string, attempt: AccessAttempt): Promise<readonly PartitionMetadata[]> {
    const cached = this.#topics.get(physicalTopic)
    if (cached !== undefined && this.#clock.steadyMs() - cached.readAtMs < METADATA_MAX_AGE_MS) return cached.partitions
    return this.retry({ timeoutMs: NEW_TOPIC_MS, ...attempt }, () => this.#readTopic(physicalTopic))
  }

  /** Forgets what is known of a topic, after an answer that shows it to be out of date. */
  forget(physicalTopic: string): void {
    this.#topics.delete(physicalTopic)
  }

  /** Descriptions of topics as the broker has them now; missing ones carry an error code. All topics when none is named. */
  async describe(physicalTopics: readonly string[]): Promise<readonly TopicMetadata[]> {
    const { topicMetadata } = await this.#refresh(physicalTopics)
    return topicMetadata
  }

  /** The broker that leads a partition. Throws kafkajs errors: call it inside {@link retry}. */
  async leaderOf(physicalTopic: string, partition: number, attempt: AccessAttempt): Promise<InternalBroker> {
    const found =
      (await this.#partition(physicalTopic, partition, attempt)) ??
      (await this.#added(physicalTopic, partition, attempt))
    if (found === undefined) {
      throw new LabanError('LABAN_BROKER_REFUSED', {
        operation: attempt.operation,
        topic: attempt.topic ?? physicalTopic,
        problem: `there is no partition ${partition}`,
      })
    }
    if (found.leader < 0) {
      this.forget(physicalTopic)
      throw createErrorFromCode(LEADER_NOT_AVAILABLE)
    }
    return this.#broker(found.leader)
  }

  async anyBroker(): Promise<InternalBroker> {
    await this.connect()
    return outsideContext(() => this.#cluster.brokerPool.findConnectedBroker())
  }

  async controller(): Promise<InternalBroker> {
    const { controllerId } = await this.#refresh([])
    return this.#broker(controllerId)
  }

  async coordinatorOf(physicalGroup: string): Promise<InternalBroker> {
    await this.connect()
    // kafkajs's own search takes a refusal for a coordinator that is not there, and looks for it again.
    return outsideContext(async () => {
      const broker = await this.#cluster.brokerPool.findConnectedBroker()
      const { coordinator } = await broker.findGroupCoordinator({ groupId: physicalGroup, coordinatorType: GROUP })
      return this.#cluster.findBroker({ nodeId: coordinator.nodeId })
    })
  }

  /**
   * Calls `work` until it succeeds, fails for good, or the time is over. Every failure takes the metadata of the topic for stale.
   * @throws what {@link toLabanError} makes of the last error
   */
  async retry<T>(attempt: AccessAttempt, work: () => Promise<T>): Promise<T> {
    const deadlineAtMs = this.#clock.steadyMs() + (attempt.timeoutMs ?? 10_000)
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.connect()
        return await outsideContext(work)
      } catch (error) {
        if (this.#isClosed || !mayPass(error) || this.#clock.steadyMs() + pauseMs > deadlineAtMs) {
          throw this.error(error, attempt)
        }
      }
      await delay(this.#clock, pauseMs)
    }
  }

  error(error: unknown, attempt: AccessAttempt): LabanError {
    const { brokers, user, namespace } = this.#connection
    return toLabanError(error, { ...attempt, brokers, user, namespace })
  }

  async #partition(
    physicalTopic: string,
    partition: number,
    attempt: AccessAttempt,
  ): Promise<PartitionMetadata | undefined> {
    const partitions = await this.partitionsOf(physicalTopic, attempt)
    return partitions.find(({ partitionId }) => partitionId === partition)
  }

  /** A partition that is not known may have been added since the topic was last looked up. */
  #added(physicalTopic: string, partition: number, attempt: AccessAttempt): Promise<PartitionMetadata | undefined> {
    this.forget(physicalTopic)
    return this.#partition(physicalTopic, partition, attempt)
  }

  async #open(): Promise<void> {
    await this.#cluster.connect()
    await this.#cluster.brokerPool.refreshMetadata([])
  }

  async #broker(nodeId: number): Promise<InternalBroker> {
    return outsideContext(() => this.#cluster.findBroker({ nodeId }))
  }

  async #readTopic(physicalTopic: string): Promise<readonly PartitionMetadata[]> {
    const { topicMetadata } = await this.#refresh([physicalTopic])
    const found = topicMetadata.find(({ topic }) => topic === physicalTopic)
    if (found === undefined) throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION)
    if (found.topicErrorCode !== 0) throw createErrorFromCode(found.topicErrorCode)
    const partitions = found.partitionMetadata.toSorted((a, b) => a.partitionId - b.partitionId)
    this.#topics.set(physicalTopic, { partitions, readAtMs: this.#clock.steadyMs() })
    return partitions
  }

  /** One at a time: kafkajs keeps only the last answer, and two refreshes at once would read each other's. */
  #refresh(physicalTopics: readonly string[]): Promise<ClusterMetadata> {
    const refreshed = this.#refreshing.then(async () => {
      await this.connect()
      const { brokerPool } = this.#cluster
      await outsideContext(() => brokerPool.refreshMetadata(physicalTopics))
      if (brokerPool.metadata === null) throw createErrorFromCode(LEADER_NOT_AVAILABLE)
      return brokerPool.metadata
    })
    this.#refreshing = refreshed.catch(() => undefined)
    return refreshed
  }
}
