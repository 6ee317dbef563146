/**
 * One member of a consumer group on kafkajs. Delivery is open only between the settled `onAssigned` of a generation and the next
 * join; what is delivered continues exactly where the owner's last answer said; commits go out under the generation they belong to.
 */
import type { Consumer, EachBatchPayload } from 'kafkajs'
import { isLabanError, LabanError } from '../../../contracts/errors.ts'
import type {
  BrokerConsumer,
  ConsumerHandlers,
  ConsumerOptions,
  OffsetCommit,
  TopicPartition,
} from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { atMost, inTime } from './at-most.ts'
import type { ClusterAccess } from './cluster-access.ts'
import type { KafkaConnection } from './connection.ts'
import { decodeFetchesOf } from './fetch-answers.ts'
import { BatchDelivery } from './delivery.ts'
import { observeGroup, type GroupObserver } from './group-hook.ts'
import { byTopic, type NamedGroup } from './group-offsets.ts'
import { nextGeneration, partitionName, toAssignment, type Generation, type HeldPartition } from './held-partitions.ts'
import {
  PartitionAssigners,
  type ConsumerGroup,
  type InternalCluster,
  type OffsetManager,
} from './kafkajs-internals.ts'
import { commitRefused, mayPass } from './kafka-errors.ts'
import { observePositionResets } from './offset-out-of-range.ts'
import { outsideContext } from './outside-context.ts'
import type { PhysicalNames } from './physical-names.ts'
import { endWithSocket } from './socket-guard.ts'
import { resolveStartOffsets } from './start-offsets.ts'
import { stickyAssigner } from './sticky-assigner.ts'
import { Watchdog, watchdogLimits } from './watchdog.ts'

/** What a consumer works with. `access` is shared and stays open. */
export interface ConsumerParts {
  readonly connection: KafkaConnection
  readonly access: ClusterAccess
  readonly names: PhysicalNames
  readonly clock: Clock
  readonly logger: Logger
  /** Called when the consumer has left, after a stop or a crash. */
  readonly onLeft?: () => void
}

const SESSION_TIMEOUT_MS = 10_000
const HEARTBEAT_INTERVAL_MS = 1_000
const MAX_WAIT_MS = 250
/** A partition takes a share of the open records; what is fetched beyond it is thrown away and fetched again. */
const MAX_BYTES_PER_PARTITION = 262_144
const METADATA_MAX_AGE_MS = 30_000
/** A last commit that takes longer than this must not hold up the whole group. */
const LAST_COMMIT_MS = 2_000
/** A broker that does not answer must not hold up a shutdown; the group then learns of it by the session time-out. */
const LEAVE_MS = 5_000
const RETRY = { retries: 8, initialRetryTime: 100, maxRetryTime: 2_000 }

/** A member; {@link KafkaConsumer.start} makes it join. */
export class KafkaConsumer implements BrokerConsumer, GroupObserver {
  readonly #parts: ConsumerParts
  readonly #options: ConsumerOptions
  readonly #handlers: ConsumerHandlers
  readonly #group: NamedGroup
  readonly #timing: {
    readonly sessionTimeoutMs: number
    readonly heartbeatIntervalMs: number
    readonly maxWaitMs: number
  }
  readonly #consumer: Consumer
  readonly #delivery: BatchDelivery
  readonly #watchdog: Watchdog
  #cluster: InternalCluster | undefined
  #membership: ConsumerGroup | undefined
  #generation: Generation | undefined
  #manager: OffsetManager | undefined
  #telling: Promise<void> = Promise.resolve()
  #running: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | undefined
  #hasLostBrokers = false
  #hasEnded = false

  constructor(parts: ConsumerParts, options: ConsumerOptions, handlers: ConsumerHandlers) {
    this.#parts = parts
    this.#options = options
    this.#handlers = handlers
    this.#group = { group: options.group, physicalGroup: parts.names.group(options.group) }
    this.#timing = {
      sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS,
      maxWaitMs: options.maxWaitMs ?? MAX_WAIT_MS,
    }
    this.#delivery = new BatchDelivery({
      clock: parts.clock,
      restMs: this.#timing.maxWaitMs,
      onBatch: (batch) => handlers.onBatch(batch),
      onFailure: (error) => this.#fail(error),
    })
    this.#watchdog = new Watchdog(parts.clock, watchdogLimits(this.#timing.sessionTimeoutMs), {
      onQuiet: (isQuiet, ms) => this.#tellAway(isQuiet ? this.#silence(ms) : undefined),
      onSilence: (ms) => this.#fail(this.#silence(ms)),
    })
    this.#consumer = this.#create()
  }

  get isStopping(): boolean {
    return this.#hasEnded
  }

  /** Subscribes and begins to join; resolves before the group has been joined. */
  async start(): Promise<void> {
    const { access, names } = this.#parts
    try {
      for (const topic of this.#options.topics) {
        await access.partitionsOf(names.topic(topic), { operation: 'subscribe', topic })
      }
      // A group that may not even be seen is an error now; the join would only tell the log.
      const seeing = { operation: 'subscribe', group: this.#group.physicalGroup }
      await access.retry(seeing, () => access.coordinatorOf(this.#group.physicalGroup))
      const topics = this.#options.topics.map((topic) => names.topic(topic))
      await access.retry({ operation: 'subscribe', topic: this.#options.topics.join(',') }, async () => {
        await this.#consumer.connect()
        await this.#consumer.subscribe({ topics, fromBeginning: false })
      })
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#running = outsideContext(() => this.#run()).catch((error: unknown) => this.#fail(error))
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#delivery.pause(this.#held(partitions))
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#delivery.resume(this.#held(partitions))
  }

  async commit(commits: readonly OffsetCommit[]): Promise<void> {
    if (commits.length === 0) return
    if (this.#hasEnded) throw commitRefused(this.#options.group, 'the consumer has stopped')
    const foreign = commits.find((commit) => this.#held([commit]).length === 0)
    if (foreign !== undefined || this.#manager === undefined) {
      const { topic, partition } = foreign ?? commits[0] ?? { topic: this.#options.group, partition: 0 }
      throw commitRefused(topic, `partition ${partition} belongs to another member now`)
    }
    await this.#commitWith(this.#manager, commits)
  }

  /** Leaves the group; the handlers are not called any more from the moment of the call. */
  stop(): Promise<void> {
    this.#end()
    this.#stopped ??= this.#leave()
    return this.#stopped
  }

  /** Looks at the topics again soon: there may be new partitions. */
  refreshTopics(): void {
    if (this.#cluster !== undefined) this.#cluster.brokerPool.metadataExpireAt = null
  }

  async beforeJoin(group: ConsumerGroup): Promise<void> {
    this.#watchdog.joining(true)
    this.#delivery.close()
    const generation = this.#generation
    const manager = this.#manager
    if (generation === undefined || manager === undefined || this.#hasEnded) return
    if (group.memberId !== generation.memberId || group !== this.#membership) return
    try {
      const commits = this.#handlers.onRebalancing()
      if (commits.length === 0) return
      await atMost(this.#commitWith(manager, commits), this.#parts.clock, LAST_COMMIT_MS)
    } catch (error) {
      // As for any member that comes too late: its last commit is lost, its records are delivered again.
      this.#parts.logger.info('the last commit before a rebalance was not accepted', {
        group: this.#group.group,
        error,
      })
    }
  }

  async afterJoin(group: ConsumerGroup): Promise<boolean> {
    const before = group === this.#membership ? this.#generation : undefined
    const generation = nextGeneration(group, this.#parts.names, before)
    this.#membership = group
    this.#generation = generation
    this.#manager = group.offsetManager ?? undefined
    this.#tellAway(undefined)
    this.#telling = this.#telling.then(() => this.#tell(group, generation))
    const isSettled = await this.#heartbeatUntil(group, this.#telling)
    this.#watchdog.joining(false)
    return isSettled
  }

  #create(): Consumer {
    const { sessionTimeoutMs, heartbeatIntervalMs, maxWaitMs } = this.#timing
    const consumer = this.#parts.connection.kafka.consumer({
      groupId: this.#group.physicalGroup,
      partitionAssigners: [
        stickyAssigner(
          () => this.#ownership(),
          (cluster) => this.#observe(cluster),
        ),
        PartitionAssigners.roundRobin,
      ],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      maxWaitTimeInMs: maxWaitMs,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      retry: { ...RETRY, restartOnFailure: (error) => Promise.resolve(mayPass(error)) },
    })
    const { events } = consumer
    for (const event of [events.FETCH_START, events.CONNECT]) consumer.on(event, () => this.#watchdog.sign())
    for (const event of [events.FETCH, events.HEARTBEAT]) consumer.on(event, () => this.#watchdog.answered())
    consumer.on(events.CRASH, ({ payload }) => this.#crashed(payload.error, payload.restart))
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#delivery.skipped(payload)
    })
    return consumer
  }

  #observe(cluster: InternalCluster): void {
    this.#cluster = cluster
    endWithSocket(cluster)
    decodeFetchesOf(cluster, this.#parts.connection.records)
    observeGroup(cluster, this)
    observePositionResets(cluster, ({ topic, partition, offset }) => {
      this.#parts.logger.error('reading position is no longer on the log: records are lost', {
        topic,
        partition,
        offset,
      })
      const held = this.#generation?.partitions.get(partitionName(topic, partition))
      if (held !== undefined) held.nextOffset = offset
    })
  }

  async #run(): Promise<void> {
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload: EachBatchPayload) => {
        this.#delivery.deliver(payload)
        return Promise.resolve()
      },
    })
  }

  /** Finds out where reading begins, positions the fetch loop there, and tells the owner. Never rejects. */
  async #tell(group: ConsumerGroup, generation: Generation): Promise<void> {
    const isOver = (): boolean => this.#hasEnded || this.#generation !== generation
    try {
      if (isOver()) return
      const { access, logger } = this.#parts
      const query = { access, group: this.#group, startFrom: this.#options.startFrom, logger }
      const commits = await this.#insist(() => resolveStartOffsets(query, generation), isOver)
      if (commits === undefined || isOver()) return
      this.#tellAway(undefined)
      const assignment = [...generation.partitions].map(([name, held]) => {
        held.isAnnounced = true
        return toAssignment(held, generation.kept.has(held), commits.get(name))
      })
      this.#delivery.position(group, generation)
      await this.#handlers.onAssigned(assignment)
      if (!isOver()) this.#delivery.open()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Goes on as long as the error may pass and the generation lasts. */
  async #insist<T>(work: () => Promise<T>, isOver: () => boolean): Promise<T | undefined> {
    while (!isOver()) {
      try {
        return await inTime(outsideContext(work), this.#parts.clock, (ms) => this.#silence(ms))
      } catch (error) {
        if (!isLabanError(error) || error.errorClass !== 'retry') throw error
        this.#tellAway(error)
      }
    }
    return undefined
  }

  /** False when the group began to form a newer generation before `work` had settled. */
  async #heartbeatUntil(group: ConsumerGroup, work: Promise<void>): Promise<boolean> {
    const { heartbeatIntervalMs } = this.#timing
    let isSettled = false
    const settled = work.then(() => {
      isSettled = true
    })
    while (!this.#hasEnded) {
      await atMost(settled, this.#parts.clock, heartbeatIntervalMs)
      if (isSettled) return true
      try {
        await group.heartbeat({ interval: heartbeatIntervalMs })
      } catch (error) {
        const type = error instanceof Error && 'type' in error ? error.type : undefined
        if (type === 'UNKNOWN_MEMBER_ID') group.memberId = null
        if (type === 'UNKNOWN_MEMBER_ID' || type === 'REBALANCE_IN_PROGRESS' || type === 'ILLEGAL_GENERATION')
          return false
      }
    }
    return true
  }

  async #commitWith(manager: OffsetManager, commits: readonly OffsetCommit[]): Promise<void> {
    const { names, access } = this.#parts
    const named = commits.map((commit) => ({ ...commit, physicalTopic: names.topic(commit.topic) }))
    const topics = byTopic(named, ({ partition, offset, metadata }) => ({
      partition,
      offset: String(offset),
      metadata,
    }))
    try {
      await outsideContext(() => manager.commitOffsets({ topics }))
    } catch (error) {
      const { topic = this.#options.group } = commits[0] ?? {}
      throw access.error(error, { operation: 'commit', topic, group: this.#group.physicalGroup })
    }
  }

  #ownership(): { generation: number; partitions: { topic: string; partition: number }[] } | undefined {
    const generation = this.#generation
    if (generation === undefined || this.#membership?.memberId !== generation.memberId) return undefined
    const held = [...generation.partitions.values()]
    const partitions = held.map(({ physicalTopic, partition }) => ({ topic: physicalTopic, partition }))
    return { generation: generation.id, partitions }
  }

  #held(partitions: readonly TopicPartition[]): readonly HeldPartition[] {
    const { names } = this.#parts
    return partitions.flatMap(({ topic, partition }) => {
      return this.#generation?.partitions.get(partitionName(names.topic(topic), partition)) ?? []
    })
  }

  /** kafkajs restarts by itself what may pass; the new membership starts from nothing. */
  #crashed(error: unknown, willRestart: boolean): void {
    this.#delivery.close()
    this.#watchdog.joining(true)
    if (!willRestart) return this.#fail(error)
    this.#tellAway(error)
  }

  /** The brokers do not answer because of this error, or answer again. */
  #tellAway(error: unknown): void {
    const isAway = error !== undefined
    if (this.#hasLostBrokers === isAway || this.#hasEnded) return
    this.#hasLostBrokers = isAway
    this.#options.onAvailability?.(!isAway, isAway ? this.#toError(error) : undefined)
  }

  #silence(silentMs: number): LabanError {
    const brokers = this.#parts.access.brokers.join(',')
    const problem = `no answer to ${this.#group.group} for ${Math.round(silentMs)} ms`
    return new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers, problem })
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return
    this.#end()
    this.#stopped ??= this.#leave()
    this.#stopped.catch((failure: unknown) => this.#parts.logger.debug('leaving after a crash failed', { failure }))
    this.#handlers.onCrash(this.#toError(error))
  }

  #toError(error: unknown): LabanError {
    const attempted = { operation: 'consume', topic: this.#options.topics.join(','), group: this.#group.physicalGroup }
    return this.#parts.access.error(error, attempted)
  }

  #end(): void {
    this.#hasEnded = true
    this.#delivery.close()
    this.#watchdog.stop()
  }

  /** A stop during the first join would be overlooked by kafkajs, which would then run for ever. */
  async #leave(): Promise<void> {
    const { clock } = this.#parts
    await atMost(this.#running, clock, LAST_COMMIT_MS)
    try {
      const leaving = outsideContext(() => this.#consumer.disconnect())
      await atMost(leaving, clock, LEAVE_MS)
    } finally {
      this.#parts.onLeft?.()
    }
  }
}
