/** Kafka, registry and Redis of a run: the real servers in a folder and on ports of their own, so that nobody else's are touched. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findDaemon, stopDaemon } from '../../../infra/stack/daemon.ts'
import { selectServers } from '../../../infra/stack/servers/all.ts'
import { portVariable, resolveSettings, type PortName, type StackSettings } from '../../../infra/stack/settings.ts'
import { down, up } from '../../../infra/stack/stack.ts'
import { readStackFile } from '../../../infra/stack/stack-file.ts'
import type { ServerAddresses } from '../../harness/processes.ts'
import { waitFor } from '../../harness/wait.ts'

/** A server that the monkey may take. */
export type OwnServer = 'kafka' | 'registry' | 'redis'

const NAMES: readonly OwnServer[] = ['kafka', 'registry', 'redis']
const PORTS: readonly PortName[] = ['kafka', 'kafkaController', 'registry', 'redis']
const PROJECT = join(import.meta.dirname, '..', '..', '..')
const FIRST_PORT = 21_000
const PORTS_TO_TRY = 8_000
const END_TIMEOUT_MS = 30_000

/** See the file's head. */
export class OwnServers {
  readonly addresses: ServerAddresses
  readonly #settings: StackSettings

  private constructor(settings: StackSettings, addresses: ServerAddresses) {
    this.#settings = settings
    this.addresses = addresses
  }

  /** Starts all three and waits until they answer. */
  static async start(): Promise<OwnServers> {
    const environment: Record<string, string | undefined> = { ...process.env }
    environment['LABAN_STACK_DIR'] = await mkdtemp(join(tmpdir(), 'laban-chaos-'))
    // Inherited by the servers. One that is started every few minutes has to compile quickly rather than well.
    process.env['JAVA_TOOL_OPTIONS'] = '-XX:TieredStopAtLevel=1'
    for (const name of PORTS) environment[portVariable(name)] = String(await quietPort())
    const settings = resolveSettings(PROJECT, environment)
    try {
      await up(settings, selectServers(NAMES.join()))
      const { brokers, registryUrl, redisUrl } = (await readStackFile(settings.stackDir)) ?? {}
      if (brokers === undefined || registryUrl === undefined || redisUrl === undefined)
        throw new Error('a server of the run has no address')
      return new OwnServers(settings, { brokers, registryUrl, redisUrl })
    } catch (error) {
      await removeAll(settings)
      throw error
    }
  }

  /** Process id; undefined while it does not run. */
  async pidOf(name: OwnServer): Promise<number | undefined> {
    return (await findDaemon(this.#settings.stackDir, name))?.pid
  }

  /** Ends a server: by SIGKILL, or by asking. */
  async end(name: OwnServer, isHard: boolean): Promise<void> {
    const { stackDir } = this.#settings
    if (!isHard) {
      await stopDaemon(stackDir, name)
      return
    }
    const pid = await this.pidOf(name)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    const isGone = async (): Promise<boolean> => (await findDaemon(stackDir, name)) === undefined
    await waitFor(isGone, { timeoutMs: END_TIMEOUT_MS, what: `${name} to be gone` })
  }

  /** Starts it again with the data that it had. */
  async begin(name: OwnServer): Promise<void> {
    await up(this.#settings, selectServers(name))
  }

  /** Everything in Redis is gone. */
  async wipeRedis(): Promise<void> {
    const redis = new Redis(this.addresses.redisUrl, { maxRetriesPerRequest: 20 })
    redis.on('error', () => undefined)
    await redis.flushall()
    redis.disconnect()
  }

  /** Ends all and removes their data. */
  close(): Promise<void> {
    return removeAll(this.#settings)
  }
}

async function removeAll(settings: StackSettings): Promise<void> {
  await down(settings, selectServers(NAMES.join()), true)
  await rm(settings.stackDir, { recursive: true, force: true })
}

/**
 * A free port below those that the system hands out by itself: a server that is away for a while must find its port free again, and
 * a client that asks for it meanwhile must not connect to itself.
 */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS_TO_TRY)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
