/** A Redis of one's own, for what must not be done to a shared one: killing it, filling it, wiping it, making it a cluster. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../harness/free-port.ts'
import { waitFor } from '../harness/wait.ts'

/** A running server, and what can be done to it. */
export interface PrivateRedis {
  readonly url: string
  /** A plain client of it. */
  readonly admin: Redis
  /** Kills it by SIGKILL. */
  kill(): Promise<void>
  /** Starts it again on the same port, with the data it had persisted. */
  start(): Promise<void>
  /** Stops its process without ending it: connections stay open and nothing answers. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
}

/** Starts `redis-server` from the PATH with append-only persistence, plus the given settings. */
export async function startPrivateRedis(settings: Readonly<Record<string, string>> = {}): Promise<PrivateRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'laban-redis-'))
  const port = await freePort()
  const all = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    ...settings,
  }
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
  const admin = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null })
  // It is expected to be away at times.
  admin.on('error', () => undefined)
  let server = await launch(args)
  // Also when a test file ends before its clean-up.
  const end = (): void => void server.kill('SIGKILL')
  process.once('exit', end)
  await admin.connect().catch(() => undefined)
  await answering(admin)
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGKILL')
    await exited
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    admin,
    kill,
    start: async () => {
      server = await launch(args)
      await answering(admin)
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    close: async () => {
      admin.disconnect()
      await kill()
      process.off('exit', end)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Starts a cluster of one node that serves all slots. */
export async function startPrivateCluster(): Promise<PrivateRedis> {
  const server = await startPrivateRedis({ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' })
  await server.admin.cluster('ADDSLOTSRANGE', 0, 16_383)
  await waitFor(async () => (await server.admin.cluster('INFO')).includes('cluster_state:ok'), { what: 'the cluster' })
  return server
}

async function launch(args: readonly string[]): Promise<ChildProcess> {
  const server = spawn('redis-server', args, { stdio: 'ignore' })
  await once(server, 'spawn').catch((cause: unknown) => {
    throw new Error('This test starts a Redis of its own: `redis-server` must be on the PATH.', { cause })
  })
  return server
}

async function answering(admin: Redis): Promise<void> {
  await waitFor(async () => (await admin.ping()) === 'PONG', { what: 'the private Redis', timeoutMs: 20_000 })
}
