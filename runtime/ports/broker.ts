/**
 * Port of the log. Topic and group names are without namespace here: an adapter adds it.
 * Offsets are numbers (they stay below 2^53).
 */
import type { ReceivedHeaders } from '../../contracts/envelope.ts'
import type { HeaderBlock } from '../../contracts/header-block.ts'
import type { Right } from '../../contracts/rights.ts'

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A record as read. `key` and `value` may be slices of a larger buffer: copy them to keep them. */
export interface BrokerRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReceivedHeaders
}

/** A record to append. Without `partition`, the hash of the key (murmur2, as in Java) decides; a null key needs a partition. */
export interface OutgoingRecord {
  readonly topic: string
  readonly partition?: number
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers: OutgoingHeaders
}

/** By name, where an array is a header that is repeated (foreign headers are kept as they came); or in their final bytes. */
export type OutgoingHeaders = NamedHeaders | HeaderBlock
/** A header's values by its name. */
export type NamedHeaders = Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>

/** Where an appended record lies. */
export interface Appended {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * Appends records. The caller keeps at most one `send` outstanding per producer: that is what makes the idempotent
 * producer safe under retries (docs/design/publishing.md).
 */
export interface BrokerProducer {
  /**
   * Appends all records, in the given order per partition, acknowledged by all in-sync replicas. Resolves with one position per
   * record. On rejection some may have been appended: sending again is safe only for records whose id dedups them.
   * @throws LABAN_BROKER_UNAVAILABLE (retry), LABAN_BROKER_REFUSED and LABAN_BROKER_MESSAGE_TOO_LARGE (terminal, with the topic)
   */
  send(records: readonly OutgoingRecord[]): Promise<readonly Appended[]>
  /** The partition that a key goes to. */
  partitionFor(topic: string, key: Buffer | string): Promise<number>
  close(): Promise<void>
}

/** A partition given to this consumer by a new generation of its group. */
export interface Assignment extends TopicPartition {
  /** Committed offset, or null when the group has never committed here. */
  readonly committedOffset: number | null
  /** Metadata of the commit; '' when none. */
  readonly metadata: string
  /** Where reading begins: the committed offset, or what `startFrom` says; for a kept partition, where delivery had got to. */
  readonly startOffset: number
  /** True when this consumer held the partition in the generation just before: nobody else can have held it in between. */
  readonly kept: boolean
  /**
   * True when the partition was added to a topic that the group already reads: reading begins at its start whatever `startFrom`
   * says, and keys have moved to it. Absent otherwise.
   */
  readonly added?: true
}

/** Records of one partition in offset order. Gaps are records that do not exist (compaction, transaction markers). */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly BrokerRecord[]
  /** First offset that was asked for. */
  readonly fromOffset: number
  /** Highest offset that this batch covers, markers included. */
  readonly lastOffset: number
  /** End of the partition when it was fetched: offset of the next record to be written. */
  readonly endOffset: number
}

/** An offset to commit, or a committed one. */
export interface OffsetCommit extends TopicPartition {
  /** Next offset to read. */
  readonly offset: number
  /** At most 4,096 bytes. */
  readonly metadata: string
}

/** What a consumer tells its owner. Handlers must return quickly: they are called from the fetch loop that also heartbeats. */
export interface ConsumerHandlers {
  /** A new generation. No batch of these partitions is delivered before the promise settles. Partitions not listed are lost. */
  onAssigned(assignment: readonly Assignment[]): void | Promise<void>
  /** A rebalance begins; the answer is committed with the generation that ends. Not promised to be called: `onAssigned` is. */
  onRebalancing(): readonly OffsetCommit[]
  /** Registers records; the answer is the next offset to fetch (records from there on are delivered again later). */
  onBatch(batch: RecordBatch): number
  /** The consumer has stopped for good and will not come back by itself. */
  onCrash(error: unknown): void
}

/** Where a group begins that has never committed. */
export type StartFrom = 'earliest' | 'latest' | { readonly atMs: number }

/** How a member joins its group. */
export interface ConsumerOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly startFrom: StartFrom
  /** A member that is silent for so long is expelled. @default 10000 */
  readonly sessionTimeoutMs?: number
  /** @default 1000 */
  readonly heartbeatIntervalMs?: number
  /** Told once when the brokers stop answering this member, and once when they answer it again. */
  readonly onAvailability?: (isAvailable: boolean, error?: unknown) => void
  /** Longest wait of one fetch; resume and rejoin lag by at most this. @default 250 */
  readonly maxWaitMs?: number
}

/** One member of a consumer group. */
export interface BrokerConsumer {
  /**
   * Stops delivery for these partitions; membership is kept. Idempotent. It lasts over a rebalance for partitions that are
   * kept; a partition that comes anew is not paused.
   */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Commits with the current generation; rejected after expulsion. Never retried across a rejoin. */
  commit(commits: readonly OffsetCommit[]): Promise<void>
  /** Leaves the group. Commit before. */
  stop(): Promise<void>
}

/** A topic to create. */
export interface TopicSpec {
  readonly topic: string
  readonly partitions: number
  readonly replication: number
  /** Broker settings such as `retention.ms`. */
  readonly config: Readonly<Record<string, string>>
}

/** A topic as it is on the broker. */
export interface TopicDescription {
  readonly topic: string
  readonly partitions: number
  readonly replication: number
  readonly config: Readonly<Record<string, string>>
}

/** A consumer group as it is now. */
export interface GroupDescription {
  readonly group: string
  readonly state: string
  readonly members: number
}

/** Administration. Nothing here deletes topics or records. */
export interface BrokerAdmin {
  /** Describes those that exist; missing ones are left out. */
  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]>
  listTopics(): Promise<readonly string[]>
  /** Creates what is missing; an existing topic is left alone. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>
  addPartitions(topic: string, partitions: number): Promise<void>
  setTopicConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void>
  /** First and next offset per partition. */
  offsets(topic: string): Promise<readonly { partition: number; startOffset: number; endOffset: number }[]>
  /** Next offset at or after a time, per partition; the end offset when there is none. */
  offsetsAt(topic: string, atMs: number): Promise<readonly { partition: number; offset: number }[]>
  /** What the group has committed; partitions without a commit are left out. */
  groupOffsets(group: string, topics: readonly string[]): Promise<readonly OffsetCommit[]>
  /** Only while the group has no members. @throws LABAN_BROKER_REFUSED otherwise */
  setGroupOffsets(group: string, commits: readonly OffsetCommit[]): Promise<void>
  /** State as Kafka names it (`Stable`, `PreparingRebalance`, `Empty`); an unknown group is `Dead`. */
  describeGroup(group: string): Promise<GroupDescription>
}

/** Reads the log without being a member of any agent's group. */
export interface LogReader {
  /** Batches from `fromOffset` to `toOffset` (exclusive; default: the end at the time of the call), in order. */
  read(from: TopicPartition & { fromOffset: number; toOffset?: number }): AsyncIterable<readonly BrokerRecord[]>
}

/** A connection to the log. */
export interface Broker {
  /** Resolves when the broker answers. @throws LABAN_BROKER_UNAVAILABLE */
  connect(): Promise<void>
  producer(): Promise<BrokerProducer>
  consumer(options: ConsumerOptions, handlers: ConsumerHandlers): Promise<BrokerConsumer>
  /** Resolves when this connection has all of these rights; absent where nobody is denied anything. @throws LABAN_BROKER_DENIED */
  checkRights?(rights: readonly Right[]): Promise<void>
  readonly admin: BrokerAdmin
  readonly reader: LogReader
  close(): Promise<void>
}
