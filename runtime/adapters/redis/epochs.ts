/**
 * Tells when Redis has lost its memory. Every script checks that the epoch this process knows is still there and counts writing
 * calls in it: a missing epoch (flushed, restarted empty) or a count that went back (old dump, failover) means lost.
 */
import { randomBytes } from 'node:crypto'
import { LabanError } from '../../../contracts/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Connection } from './connection.ts'
import { runScript, type Reply } from './scripts.ts'
import { checkVersion } from './values.ts'

interface Epoch {
  readonly name: Buffer
  count: number
}

/** After a loss nothing is admitted for so long: live owners' claims are gone, but their handlers may still run. */
export const LOST_PAUSE_MS = 10_000

const VERSION = '1'
const NOT_ENTERED = 'what the log knows of it has not been put back yet'

export interface EpochOptions {
  readonly connection: Connection
  readonly agent: string
  readonly clock: Clock
  readonly logger: Logger
  /** @default LOST_PAUSE_MS */
  readonly lostPauseMs?: number
  /** True where somebody puts back what was lost: an epoch is used only once it has been {@link Epochs.enter}ed. @default false */
  readonly recovers?: boolean
}

/** The epochs of one agent: one on a standalone server, one for each slot in a cluster. */
export class Epochs {
  readonly #options: EpochOptions
  readonly #known = new Map<string, Promise<Epoch>>()
  /** Answers of earlier epochs may still come in: they say nothing of the one that is used now. */
  #inUse = new WeakSet<Epoch>()
  /** Names of epochs that went back in time: what stands in them is not to be gone on with. */
  readonly #gone = new Set<string>()
  #pausedUntilMs = 0
  #problem = NOT_ENTERED

  constructor(options: EpochOptions) {
    this.#options = options
  }

  /**
   * The epoch at this key: what is known, else adopted from Redis, else begun.
   * @throws LABAN_STORE_LOST shortly after a loss; where claims recover until one has been entered
   */
  at(key: string): Promise<Epoch> {
    if (this.#options.clock.nowMs() < this.#pausedUntilMs) return Promise.reject(this.#lostError())
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#options.recovers === true) return Promise.reject(this.#lostError())
    const adopted = this.#adopt(key)
    this.#known.set(key, adopted)
    // A failed attempt is not kept: the next call tries again.
    adopted.catch(() => this.#known.get(key) === adopted && this.#known.delete(key))
    return adopted
  }

  /** Uses these epochs from now on, where claims recover. @throws LABAN_STORE_LOST for one that went back in time: it is ended */
  async enter(names: ReadonlyMap<string, Buffer>): Promise<void> {
    const { recovers, connection } = this.#options
    if (recovers !== true) return
    const gone = [...names].filter(([, name]) => this.#gone.has(name.toString('latin1')))
    for (const [key, name] of gone) await connection.run((client) => runScript(client, 'epoch-end', [key], [name]))
    if (gone.length > 0) throw this.#lostError()
    this.#known.clear()
    for (const [key, name] of names) this.#known.set(key, Promise.resolve(this.#used({ name, count: 0 })))
  }

  /** Checks an answer, which begins with the count, and returns the rest. @throws LABAN_STORE_LOST */
  check(epoch: Epoch, reply: Reply): readonly Reply[] {
    if (!Array.isArray(reply)) throw this.#lost(epoch, 'its epoch is missing')
    const [count, ...answers] = reply as readonly Reply[]
    if (typeof count !== 'number' || count < epoch.count) {
      this.#gone.add(epoch.name.toString('latin1'))
      throw this.#lost(epoch, `it went back from write ${epoch.count} to ${String(count)}`)
    }
    epoch.count = count
    return answers
  }

  async #adopt(key: string): Promise<Epoch> {
    const proposed = VERSION + randomBytes(8).toString('hex')
    const reply = await this.#options.connection.run((client) => runScript(client, 'epoch', [key], [proposed]))
    const [name, count] = reply as readonly [Buffer, number]
    checkVersion(name, 'The epoch')
    return this.#used({ name, count })
  }

  #used(epoch: Epoch): Epoch {
    this.#inUse.add(epoch)
    return epoch
  }

  #lost(epoch: Epoch, problem: string): LabanError {
    const { clock, logger, agent, recovers = false } = this.#options
    const lostPauseMs = recovers ? 0 : (this.#options.lostPauseMs ?? LOST_PAUSE_MS)
    if (!this.#inUse.has(epoch)) return this.#lostError()
    this.#problem = problem
    this.#pausedUntilMs = clock.nowMs() + lostPauseMs
    this.#known.clear()
    this.#inUse = new WeakSet()
    const error = this.#lostError()
    logger.error(error.message, { code: error.code, agent, pauseMs: lostPauseMs })
    return error
  }

  #lostError(): LabanError {
    return new LabanError('LABAN_STORE_LOST', { url: this.#options.connection.url, problem: this.#problem })
  }
}
