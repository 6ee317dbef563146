/** The state that all connections of one memory broker share: topics, groups, time and faults. */
import type { BrokerRecord, TopicPartition, TopicSpec } from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { BrokerFaults } from './faults.ts'
import { Group, type StoredCommit } from './groups.ts'
import { PartitionLog } from './log.ts'
import { refused } from './refusals.ts'
import { Turns } from './turns.ts'

/** How a memory broker behaves. */
export interface ClusterOptions {
  readonly clock: Clock
  /** Partitions of a topic that is created by being used. @default 6 */
  readonly partitions?: number
  /** Creates topics when they are first used, as a careless Kafka does. @default false */
  readonly autoCreateTopics?: boolean
  readonly faults?: BrokerFaults
}

export interface MemoryTopic {
  readonly name: string
  readonly replication: number
  readonly config: Map<string, string>
  readonly partitions: PartitionLog[]
}

/** Hears of every change, in the order in which they happen; used to write a run to a file. */
export interface ClusterObserver {
  topicChanged(topic: MemoryTopic): void
  appended(position: TopicPartition, record: BrokerRecord): void
  committed(group: string, position: TopicPartition, commit: StoredCommit): void
  trimmed(position: TopicPartition, startOffset: number): void
}

/** Topics and groups of one memory broker. */
export class Cluster {
  readonly clock: Clock
  readonly faults: BrokerFaults
  readonly turns: Turns
  readonly topics = new Map<string, MemoryTopic>()
  readonly groups = new Map<string, Group>()
  readonly observers = new Set<ClusterObserver>()
  readonly #defaultPartitions: number
  readonly #autoCreate: boolean
  #members = 0

  constructor(options: ClusterOptions) {
    this.clock = options.clock
    this.faults = options.faults ?? {}
    this.turns = new Turns(options.clock)
    this.#defaultPartitions = options.partitions ?? 6
    this.#autoCreate = options.autoCreateTopics ?? false
  }

  isUnavailable(): boolean {
    return this.faults.unavailable?.() ?? false
  }

  /** @throws LABAN_BROKER_REFUSED when it does not exist and is not created by use */
  topic(name: string, operation: string): MemoryTopic {
    const found = this.topics.get(name)
    if (found !== undefined) return found
    if (!this.#autoCreate) throw refused(operation, name, 'the topic does not exist')
    return this.createTopic({ topic: name, partitions: this.#defaultPartitions, replication: 1, config: {} })
  }

  /** @throws LABAN_BROKER_REFUSED when there is no such partition */
  partition(position: TopicPartition, operation: string): PartitionLog {
    const found = this.topic(position.topic, operation).partitions[position.partition]
    if (found === undefined) throw refused(operation, position.topic, `there is no partition ${position.partition}`)
    return found
  }

  createTopic(spec: TopicSpec): MemoryTopic {
    const existing = this.topics.get(spec.topic)
    if (existing !== undefined) return existing
    const topic: MemoryTopic = {
      name: spec.topic,
      replication: spec.replication,
      config: new Map(Object.entries(spec.config)),
      partitions: Array.from({ length: spec.partitions }, (_, partition) => new PartitionLog(spec.topic, partition)),
    }
    this.topics.set(spec.topic, topic)
    this.topicChanged(topic)
    return topic
  }

  /** Adds partitions up to a number. */
  growTopic(topic: MemoryTopic, partitions: number): void {
    while (topic.partitions.length < partitions) {
      topic.partitions.push(new PartitionLog(topic.name, topic.partitions.length))
    }
  }

  topicChanged(topic: MemoryTopic): void {
    for (const observer of this.observers) observer.topicChanged(topic)
  }

  trim(position: TopicPartition, offset: number): void {
    this.partition(position, 'trim').trim(offset)
    for (const observer of this.observers) observer.trimmed(position, offset)
  }

  group(name: string): Group {
    let group = this.groups.get(name)
    if (group === undefined) {
      group = new Group(name, {
        schedule: (work) => this.turns.schedule(work),
        partitionsOf: (topic) => this.topic(topic, 'commit').partitions,
        committed: (...change) => this.observers.forEach((observer) => observer.committed(...change)),
      })
      this.groups.set(name, group)
    }
    return group
  }

  /** Member ids sort in the order of joining. */
  nextMemberId(): string {
    this.#members += 1
    return `member-${String(this.#members).padStart(6, '0')}`
  }
}
