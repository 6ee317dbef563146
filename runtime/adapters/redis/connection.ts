/**
 * The connection to Redis or Redis Cluster. Nothing queues while it is down: commands fail at once, the caller pauses, and the
 * connection comes back by itself.
 */
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { printableUrl, problemOf, unavailable } from './problems.ts'

export type Client = Redis | Cluster

/** How to reach Redis. */
export interface RedisConnectionOptions {
  /** `redis://[user:password@]host:port[/db]`, `rediss://` for TLS; for a cluster any of its nodes, comma-separated. */
  readonly url: string
  /** Instead of one in the URL. */
  readonly password?: string
  readonly tls?: ConnectionOptions
  /** @default false */
  readonly cluster?: boolean
  /** Longest wait for an answer; then the connection is taken for dead. @default 5000 */
  readonly commandTimeoutMs?: number
  /** Longest wait for a connection. @default 5000 */
  readonly connectTimeoutMs?: number
  readonly clock: Clock
  readonly logger: Logger
}

/** A connection that says in words why it does not work. */
export interface Connection {
  readonly client: Client
  /** Address without secrets. */
  readonly url: string
  /** Resolves when Redis answers. Reconnecting goes on after a rejection. @throws LABAN_STORE_UNAVAILABLE */
  connect(): Promise<void>
  /** Runs commands; what fails becomes LABAN_STORE_UNAVAILABLE. */
  run<R>(commands: (client: Client) => Promise<R>): Promise<R>
  close(): void
}

/** What a cluster's addresses say beyond hosts and ports; its first one speaks for all. */
type Credentials = Pick<RedisOptions, 'username' | 'password' | 'tls'>

const DEFAULT_TIMEOUT_MS = 5_000
const FIRST_BACKOFF_MS = 50
const MAX_BACKOFF_MS = 2_000

/** Prepares a connection; `connect` opens it. */
export function openConnection(options: RedisConnectionOptions): Connection {
  const { clock, logger } = options
  const connectTimeoutMs = options.connectTimeoutMs ?? DEFAULT_TIMEOUT_MS
  const client = createClient(options, connectTimeoutMs)
  const url = printableUrl(options.url)
  let lastProblem: string | undefined
  let wasReady = false
  let isClosing = false
  client.on('error', (error: unknown) => {
    lastProblem = problemOf(error)
  })
  client.on('ready', () => {
    lastProblem = undefined
    if (wasReady) logger.info('Redis is back', { url })
    wasReady = true
  })
  client.on('close', () => {
    if (wasReady && !isClosing && lastProblem === undefined) logger.warn('Redis connection lost; reconnecting', { url })
    lastProblem ??= 'the connection was lost'
  })

  const run = async <R>(commands: (client: Client) => Promise<R>): Promise<R> => {
    try {
      return await commands(client)
    } catch (error) {
      throw unavailable(url, error, lastProblem)
    }
  }
  return {
    client,
    url,
    run,
    connect: () =>
      run(async () => {
        await untilReady(client, clock, connectTimeoutMs)
        await client.ping()
      }),
    close: () => {
      isClosing = true
      client.disconnect()
    },
  }
}

function createClient(options: RedisConnectionOptions, connectTimeoutMs: number): Client {
  const { clock } = options
  const commandTimeout = options.commandTimeoutMs ?? DEFAULT_TIMEOUT_MS
  const backoff = (times: number): number => {
    const ceilingMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(times, 10))
    return Math.ceil(ceilingMs * (0.5 + clock.random() / 2))
  }
  const shared = {
    commandTimeout,
    // A peer that vanished without a word: drop the socket soon after its commands have timed out.
    socketTimeout: commandTimeout + 1_000,
    connectTimeout: connectTimeoutMs,
    // A command in flight when the connection breaks is the caller's to repeat: here it could run twice unseen.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // After a failover the address may lead to the new master.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  } satisfies RedisOptions
  if (options.cluster !== true) {
    return new Redis(options.url, { ...shared, lazyConnect: true, enableOfflineQueue: false, retryStrategy: backoff })
  }
  const { nodes, credentials } = clusterNodes(options.url)
  return new Cluster(nodes, {
    redisOptions: { ...credentials, ...shared },
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: backoff,
    slotsRefreshTimeout: connectTimeoutMs,
  })
}

function clusterNodes(urls: string): { nodes: { host: string; port: number }[]; credentials: Credentials } {
  const parsed = urls.split(',').map((url) => new URL(url.trim()))
  const first = parsed[0]
  return {
    nodes: parsed.map((url) => ({ host: url.hostname, port: Number(url.port === '' ? 6379 : url.port) })),
    credentials: {
      ...(first === undefined || first.username === '' ? {} : { username: decodeURIComponent(first.username) }),
      ...(first === undefined || first.password === '' ? {} : { password: decodeURIComponent(first.password) }),
      ...(first?.protocol === 'rediss:' ? { tls: {} } : {}),
    },
  }
}

/** The first call opens the connection and fails with it; later ones wait for the attempts that go on behind it. */
function untilReady(client: Client, clock: Clock, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel()
      client.off('ready', onReady)
    }
    const onReady = (): void => {
      stop()
      resolve()
    }
    const onFailure = (error: Error): void => {
      stop()
      reject(error)
    }
    const cancel = clock.after(timeoutMs, () => onFailure(new NotReadyError(timeoutMs)))
    client.once('ready', onReady)
    if (client.status === 'wait' || client.status === 'end') client.connect().catch(onFailure)
  })
}

/** Becomes the cause of a LABAN_STORE_UNAVAILABLE. */
class NotReadyError extends Error {
  constructor(timeoutMs: number) {
    super(`not connected within ${timeoutMs} ms`)
  }
}
