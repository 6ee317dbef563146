/**
 * The connection to Redis or Redis Cluster. Nothing queues while it is down: commands fail at once, the caller pauses, and the
 * connection comes back by itself.
 */
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { LOST, printableUrl, problemOf, unavailable, type Problem } from './problems.ts'

export type Client = Redis | Cluster

/** How to reach Redis. */
export interface RedisConnectionOptions {
  /** `redis://[user:password@]host:port[/db]`, `rediss://` for TLS; for a cluster any of its nodes, comma-separated. */
  readonly url: string
  /** Instead of the one in the URL. */
  readonly username?: string
  /** Instead of the one in the URL; asked for every connection. */
  readonly password?: () => string
  /** Besides what a `rediss://` URL says; properties are read for every connection. */
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

/** What addresses say beyond hosts and ports; the first one speaks for all. */
type Login = Pick<RedisOptions, 'username' | 'password' | 'tls'>

const DEFAULT_TIMEOUT_MS = 5_000
const FIRST_BACKOFF_MS = 50
const MAX_BACKOFF_MS = 2_000

/** Prepares a connection; `connect` opens it. */
export function openConnection(options: RedisConnectionOptions): Connection {
  const { clock, logger } = options
  const connectTimeoutMs = options.connectTimeoutMs ?? DEFAULT_TIMEOUT_MS
  const client = createClient(options, connectTimeoutMs)
  const url = printableUrl(options.url)
  let lastProblem: Problem | undefined
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
    lastProblem ??= LOST
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
  } satisfies RedisOptions
  const { nodes, login } = addressesOf(options)
  const [node] = nodes
  if (options.cluster !== true) {
    const client = new Redis({
      ...shared,
      ...node,
      ...login,
      lazyConnect: true,
      enableOfflineQueue: false,
      retryStrategy: backoff,
    })
    renewLogin(client, options)
    return client
  }
  const cluster = new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    {
      redisOptions: { ...shared, ...login },
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: backoff,
      slotsRefreshTimeout: connectTimeoutMs,
    },
  )
  cluster.on('+node', (added: Redis) => renewLogin(added, options))
  return cluster
}

/** ioredis reads these properties for every connection: a password that was changed meanwhile is the one it sends. */
function renewLogin({ options }: Redis, { password }: RedisConnectionOptions): void {
  if (password !== undefined) Object.defineProperty(options, 'password', { get: password, enumerable: true })
}

/** Hosts and ports of all addresses; the first one, and the options, say how to log in. */
function addressesOf({ url, username, password, tls }: RedisConnectionOptions): {
  readonly nodes: readonly { readonly host: string; readonly port: number; readonly db?: number }[]
  readonly login: Login
} {
  const parsed = url.split(',').map((part) => new URL(part.trim()))
  const [first] = parsed
  const given = {
    username: username ?? decodeURIComponent(first?.username ?? ''),
    password: password?.() ?? decodeURIComponent(first?.password ?? ''),
  }
  return {
    nodes: parsed.map(({ hostname, port, pathname }) => ({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port === '' ? 6379 : port),
      ...(/^\/\d+$/.test(pathname) ? { db: Number(pathname.slice(1)) } : {}),
    })),
    login: {
      ...(given.username === '' ? {} : { username: given.username }),
      ...(given.password === '' ? {} : { password: given.password }),
      ...(first?.protocol === 'rediss:' ? { tls: tls ?? {} } : {}),
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
