/**
 * The one door to kafkajs: public API and the inner parts that this adapter uses, typed as far as they are used. Inner parts
 * have no promise of stability, so everything here rests on one exact version, asserted before anything is used.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type * as KafkaJs from 'kafkajs'
import type { Kafka as KafkaClass, KafkaConfig } from 'kafkajs'
import { LabanError } from '../../../contracts/errors.ts'

const PINNED_VERSION = '2.2.4'
const load = createRequire(import.meta.url)

function deep<T>(path: string): T {
  return load(`kafkajs/${path}`) as T
}

const { version } = deep<{ version: string }>('package.json')
if (version !== PINNED_VERSION) {
  throw new LabanError('LABAN_INVARIANT', {
    problem: `kafkajs ${version} is installed, and the adapter is written for the inner parts of ${PINNED_VERSION}`,
  })
}

/** Request and response codec of one call, as kafkajs's connections take it. */
export interface ProtocolCall {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<unknown>
    expectResponse?(): boolean
  }
  readonly response: { decode(payload: Buffer): Promise<unknown>; parse(data: never): Promise<unknown> }
  readonly requestTimeout?: number | null
  readonly logResponseError?: boolean
}

/** Builds a call from its arguments, for the highest version that both sides know. */
export type ProtocolBuilder = (parameters: Readonly<Record<string, unknown>>) => ProtocolCall

export interface RequestDefinition {
  readonly versions: readonly string[]
  protocol(options: { version: number }): ProtocolBuilder
}

export interface PartitionMetadata {
  readonly partitionErrorCode: number
  readonly partitionId: number
  readonly leader: number
  readonly replicas: readonly number[]
}

export interface TopicMetadata {
  readonly topicErrorCode: number
  readonly topic: string
  readonly isInternal: boolean
  readonly partitionMetadata: readonly PartitionMetadata[]
}

export interface ClusterMetadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly controllerId: number
  readonly topicMetadata: readonly TopicMetadata[]
}

export interface OffsetsRequestTopic {
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly timestamp?: number
    readonly offset?: string
    readonly metadata?: string
  }[]
}

/** One broker connection pool. */
export interface InternalBroker {
  readonly nodeId: number | string | null
  readonly connectionPool: { send(call: ProtocolCall): Promise<unknown> }
  lookupRequest(apiKey: number, definition: RequestDefinition): ProtocolBuilder
  disconnect(): Promise<void>
  metadata: (topics: readonly string[]) => Promise<ClusterMetadata>
  offsetFetch(request: { groupId: string; topics: readonly OffsetsRequestTopic[] }): Promise<{
    responses: { topic: string; partitions: { partition: number; offset: string; metadata: string | null }[] }[]
  }>
  offsetCommit(request: {
    groupId: string
    groupGenerationId: number
    memberId: string
    topics: readonly OffsetsRequestTopic[]
  }): Promise<unknown>
  findGroupCoordinator(request: {
    groupId: string
    coordinatorType: number
  }): Promise<{ coordinator: { nodeId: number } }>
  describeGroups(request: {
    groupIds: readonly string[]
  }): Promise<{ groups: { groupId: string; state: string; members: unknown[] }[] }>
  createTopics(request: Readonly<Record<string, unknown>>): Promise<unknown>
  createPartitions(request: Readonly<Record<string, unknown>>): Promise<unknown>
  describeConfigs(request: Readonly<Record<string, unknown>>): Promise<{
    resources: { resourceName: string; configEntries: { configName: string; configValue: string | null }[] }[]
  }>
  initProducerId(request: { transactionTimeout: number }): Promise<{ producerId: string; producerEpoch: number }>
}

export interface BrokerPool {
  metadata: ClusterMetadata | null
  metadataExpireAt: number | null
  createBroker: (options: Readonly<Record<string, unknown>>) => InternalBroker
  findConnectedBroker(): Promise<InternalBroker>
  refreshMetadata(topics: readonly string[]): Promise<void>
}

/** One connection: its socket, and what has come of an answer that is not whole yet. */
export interface InternalSocketConnection {
  readonly host: string
  readonly port: number
  readonly socket?: Socket
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  connect: () => Promise<unknown>
  disconnect(): Promise<unknown>
  rejectRequests(error: Error): void
}

/** The connections to one broker: fetches have one of their own. */
export interface InternalConnectionPool {
  send: (call: ProtocolCall) => Promise<unknown>
  readonly pool: readonly InternalSocketConnection[]
}

export interface InternalCluster {
  readonly connectionPoolBuilder: { build: (destination?: object) => Promise<InternalConnectionPool> }
  readonly brokerPool: BrokerPool
  connect(): Promise<void>
  disconnect(): Promise<void>
  isConnected(): boolean
  removeBroker(address: { host: string; port: number }): void
  findBroker(node: { nodeId: number | string }): Promise<InternalBroker>
  findGroupCoordinator(group: { groupId: string }): Promise<InternalBroker>
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[]
  fetchTopicsOffset(
    topics: readonly { topic: string; partitions: readonly { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>
}

/** Fetch positions and commits of one generation: it is made anew by every join and holds its generation and member id. */
export interface OffsetManager {
  readonly cluster: InternalCluster
  readonly generationId: number
  readonly memberId: string
  resolveOffset(position: { topic: string; partition: number; offset: string }): void
  commitOffsets(offsets: { topics: readonly OffsetsRequestTopic[] }): Promise<void>
}

/** Membership of one consumer. */
export interface ConsumerGroup {
  readonly cluster: InternalCluster
  readonly coordinator: InternalBroker | null
  readonly generationId: number | null
  readonly offsetManager: OffsetManager | null
  memberId: string | null
  joinAndSync(): Promise<void>
  leave(): Promise<void>
  heartbeat(options: { interval: number }): Promise<void>
  seek(position: { topic: string; partition: number; offset: string }): void
  pause(partitions: readonly { topic: string; partitions: readonly number[] }[]): void
  resume(partitions: readonly { topic: string; partitions: readonly number[] }[]): void
  assigned(): readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

/** A record in a fetch answer; by kafkajs with strings, by our own decoder with numbers. */
export interface DecodedMessage {
  readonly offset: string | number
  readonly timestamp?: string
  readonly timestampMs?: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, string | Buffer | (string | Buffer)[]>
  readonly isControlRecord: boolean
  readonly batchContext: Readonly<Record<string, unknown>>
}

export interface DecodedPartition {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: string
  readonly lastStableOffset: string
  readonly lastStartOffset: string
  readonly preferredReadReplica: number
  readonly abortedTransactions: readonly { producerId: string; firstOffset: string }[]
  readonly messages: readonly DecodedMessage[]
}

export interface FetchAnswer {
  readonly throttleTime: number
  readonly errorCode: number
  readonly clientSideThrottleTime: number
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly DecodedPartition[] }[]
}

/** Records of one partition out of one fetch, without control records and aborted ones. */
export interface FetchedBatch {
  readonly messages: readonly DecodedMessage[]
  readonly rawMessages: readonly DecodedMessage[]
  lastOffset(): string
}

export interface KafkaDecoder {
  readonly buffer: Buffer
  readInt8(): number
  readInt16(): number
  readInt32(): number
  readInt64(): bigint
  readString(): string
  readBytes(length?: number): Buffer
  readArray<T>(read: (decoder: KafkaDecoder) => T): T[]
  readArrayAsync<T>(read: (decoder: KafkaDecoder) => Promise<T>): Promise<T[]>
  canReadBytes(length: number): boolean
}

export interface KafkaEncoder {
  readonly buffer: Buffer
  writeInt8(value: number): KafkaEncoder
  writeInt16(value: number): KafkaEncoder
  writeInt32(value: number): KafkaEncoder
  writeString(value: string | null): KafkaEncoder
  writeBoolean(value: boolean): KafkaEncoder
  writeArray(values: readonly unknown[]): KafkaEncoder
  writeBuffer(value: Buffer): KafkaEncoder
  writeBytes(value: Buffer): KafkaEncoder
}

/** An answer's error code as kafkajs's error, with its name and whether it may pass. */
export interface ProtocolErrorLike extends Error {
  readonly type: string
  readonly code: number
  readonly retriable: boolean
}

export const { Kafka, AssignerProtocol, PartitionAssigners, logLevel, CompressionCodecs, CompressionTypes } =
  deep<typeof KafkaJs>('index.js')

export const InternalClusterClass =
  deep<new (options: Readonly<Record<string, unknown>>) => InternalCluster>('src/cluster')
export const ConsumerGroupClass = deep<{ readonly prototype: ConsumerGroup }>('src/consumer/consumerGroup')
export const OffsetManagerClass = deep<{
  readonly prototype: { setDefaultOffset(this: OffsetManager, at: { topic: string; partition: number }): Promise<void> }
}>('src/consumer/offsetManager')
export const FetchedBatchClass =
  deep<new (topic: string, fetchOffset: string, data: DecodedPartition) => FetchedBatch>('src/consumer/batch')
export const RequestQueueClass = deep<{
  readonly prototype: {
    scheduleCheckPendingRequests(this: { readonly pending: readonly unknown[]; readonly throttledUntil: number }): void
  }
}>('src/network/requestQueue')
export const requests = deep<{ requests: Record<string, RequestDefinition> }>('src/protocol/requests').requests
export const apiKeys = deep<Readonly<Record<string, number>>>('src/protocol/requests/apiKeys')
export const Decoder = deep<new (buffer: Buffer) => KafkaDecoder>('src/protocol/decoder')
/** Ends a login for good; kafkajs repeats other errors. */
export const {
  KafkaJSSASLAuthenticationError: SaslAuthenticationError,
  KafkaJSConnectionClosedError: ConnectionClosedError,
} = deep<{
  readonly KafkaJSSASLAuthenticationError: new (message: string) => Error
  readonly KafkaJSConnectionClosedError: new (message: string, at: { host: string; port: number }) => Error
}>('src/errors')
export const Encoder = deep<new () => KafkaEncoder>('src/protocol/encoder')
export const defaultSocketFactory = deep<() => NonNullable<KafkaConfig['socketFactory']>>('src/network/socketFactory')
export const createErrorFromCode = deep<{ createErrorFromCode: (code: number) => ProtocolErrorLike }>(
  'src/protocol/error',
).createErrorFromCode
export const decodeRecordBatch = deep<
  (decoder: KafkaDecoder) => Promise<{
    firstOffset: string
    lastOffsetDelta: number
    records: DecodedMessage[]
  }>
>('src/protocol/recordBatch/v0/decoder')

export type KafkaClient = InstanceType<typeof KafkaClass>
