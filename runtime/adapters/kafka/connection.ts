/**
 * How to reach the cluster, and kafkajs clients made from that. Every client is made here, so that none of them lacks a setting
 * that guards against a trap (automatic topics, log levels, names).
 */
import type { KafkaConfig, SASLOptions } from 'kafkajs'
import { decodeFetchesOf, type RecordsCodec } from './fetch-answers.ts'
import type { Logger } from '../../ports/logger.ts'
import { buildCall, callWithoutParsing } from './broker-calls.ts'
import { connectOnce } from './connect-once.ts'
import {
  defaultSocketFactory,
  InternalClusterClass,
  Kafka,
  type ClusterMetadata,
  type InternalBroker,
  type InternalCluster,
  type KafkaClient,
} from './kafkajs-internals.ts'
import { bridgeLogger } from './log-bridge.ts'
import { withReadableRefusal } from './oauth-bearer.ts'
import { endWithSocket } from './socket-guard.ts'

/** Where the cluster is and who asks. */
export interface ConnectionOptions {
  /** Addresses `host:port` to begin with. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** TLS as in `tls.connect`, or true for the defaults. Properties are read for every connection. */
  readonly ssl?: KafkaConfig['ssl']
  /** Properties are read for every connection. */
  readonly sasl?: SASLOptions
  /** Who that is, as ACLs name it and people are told. @default 'User:ANONYMOUS' */
  readonly user?: string
  /** Longest wait for a connection. @default 3000 */
  readonly connectionTimeoutMs?: number
  /** How sockets are opened, where a proxy or tunnel is in the way. @default node:net, or node:tls with `ssl` */
  readonly socketFactory?: NonNullable<KafkaConfig['socketFactory']>
  /** Who encodes and decodes records. @default 'fast' */
  readonly records?: RecordsCodec
  readonly logger: Logger
}

export interface KafkaConnection {
  readonly brokers: readonly string[]
  readonly user: string
  /** Prefix of topics and groups. */
  readonly namespace: string
  readonly records: RecordsCodec
  /** kafkajs's public client, for consumers. */
  readonly kafka: KafkaClient
  /** Connections to all brokers, without a client on top. */
  newCluster(): InternalCluster
}

const DEFAULT_CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000
const AUTHENTICATION_TIMEOUT_MS = 10_000
/** Logins are renewed so long before they end. One that is good for less than this would be renewed by every request, without end. */
const REAUTHENTICATION_THRESHOLD_MS = 3_000
/** kafkajs's own retries, inside one call; how long a call is worth repeating is decided above. */
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 }

/** Settings for all clients of one broker connection; nothing is connected yet. */
export function kafkaConnection(options: ConnectionOptions, namespace = ''): KafkaConnection {
  const { brokers, clientId, logger, records = 'fast' } = options
  const shared = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: options.connectionTimeoutMs ?? DEFAULT_CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
    reauthenticationThreshold: REAUTHENTICATION_THRESHOLD_MS,
    enforceRequestTimeout: true,
    retry: RETRY,
    socketFactory: withoutDelay(options.socketFactory ?? defaultSocketFactory()),
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: withReadableRefusal(options.sasl) }),
  }
  const kafka = new Kafka({ ...shared, logCreator: bridgeLogger(logger) })
  return {
    brokers,
    user: options.user ?? 'User:ANONYMOUS',
    namespace,
    records,
    kafka,
    newCluster() {
      const cluster = new InternalClusterClass({
        ...shared,
        logger: kafka.logger(),
        allowAutoTopicCreation: false,
        metadataMaxAge: 300_000,
      })
      keepTopicErrors(cluster)
      decodeFetchesOf(cluster, records)
      endWithSocket(cluster)
      connectOnce(cluster)
      return cluster
    },
  }
}

/** Small requests behind another one leave at once: kafkajs lets the kernel hold them until the other is acknowledged, up to 40 ms. */
function withoutDelay(open: NonNullable<KafkaConfig['socketFactory']>): NonNullable<KafkaConfig['socketFactory']> {
  return (options) => {
    const socket = open(options)
    socket.setNoDelay(true)
    return socket
  }
}

/** Metadata of this cluster carries the error of each topic instead of failing with the first one. */
function keepTopicErrors(cluster: InternalCluster): void {
  const { brokerPool } = cluster
  const createBroker = brokerPool.createBroker.bind(brokerPool)
  brokerPool.createBroker = (options) => {
    const broker: InternalBroker = createBroker(options)
    broker.metadata = (topics) =>
      callWithoutParsing<ClusterMetadata>(
        broker,
        buildCall(broker, 'Metadata', { topics, allowAutoTopicCreation: false }),
      )
    return broker
  }
}
