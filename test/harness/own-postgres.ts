/** A PostgreSQL of one test, which may be killed and restarted; it is started as the local stack starts its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgres } from '../../infra/stack/servers/postgres.ts'
import { resolveSettings, type StackSettings } from '../../infra/stack/settings.ts'
import { freePort } from './free-port.ts'
import { waitFor } from './wait.ts'

const PATIENCE = { timeoutMs: 60_000, what: 'PostgreSQL to answer' }

/** See the file's head. */
export class OwnPostgres {
  readonly url: string
  readonly #settings: StackSettings
  #child: ChildProcess | undefined

  private constructor(settings: StackSettings) {
    this.#settings = settings
    this.url = postgres.address(settings)
  }

  static async start(): Promise<OwnPostgres> {
    const stackDir = await mkdtemp(join(tmpdir(), 'laban-own-postgres-'))
    const { ports, ...rest } = resolveSettings(stackDir, {})
    const own = new OwnPostgres({ ...rest, stackDir, ports: { ...ports, postgres: await freePort() } })
    await own.resume()
    await postgres.afterStart?.(own.#settings)
    return own
  }

  /** Kills it as a crash of the machine would, without any last word; its files stay. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.pid === undefined) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // Immediate shutdown: nothing is flushed, the next start recovers from its own log.
    child.kill('SIGQUIT')
    await ended
  }

  /** Starts it on its files. */
  async resume(): Promise<void> {
    const { command, args, cwd, uid, gid } = await postgres.prepare(this.#settings)
    this.#child = spawn(command, args, {
      cwd,
      stdio: 'ignore',
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    })
    await waitFor(() => postgres.probe(this.#settings).then(() => true), PATIENCE)
  }

  async close(): Promise<void> {
    await this.kill()
    await postgres.wipe?.(this.#settings)
    await rm(this.#settings.stackDir, { recursive: true, force: true })
  }
}
