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

export interface EpochOptions {
  readonly connection: Connection
  readonly agent: string
  readonly clock: Clock
  readonly logger: Logger
  /** @default LOST_PAUSE_MS */
  readonly lostPauseMs?: number
}

/** The epochs of one agent: one on a standalone server, one for each slot in a cluster. */
export class Epochs {
  readonly #options: EpochOptions
  readonly #known = new Map<string, Promise<Epoch>>()
  #pausedUntilMs = 0
  #problem = ''

  constructor(options: EpochOptions) {
    this.#options = options
  }

  /** The epoch at this key: what is known, else adopted from Redis, else begun. @throws LABAN_STORE_LOST shortly after a loss */
  at(key: string): Promise<Epoch> {
    if (this.#options.clock.nowMs() < this.#pausedUntilMs) return Promise.reject(this.#lostError())
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const adopted = this.#adopt(key)
    this.#known.set(key, adopted)
    // A failed attempt is not kept: the next call tries again.
    adopted.catch(() => this.#known.get(key) === adopted && this.#known.delete(key))
    return adopted
  }

  /** Checks an answer, which begins with the count, and returns the rest. @throws LABAN_STORE_LOST */
  check(epoch: Epoch, reply: Reply): readonly Reply[] {
    if (!Array.isArray(reply)) throw this.#lost('its epoch is missing')
    const [count, ...answers] = reply as readonly Reply[]
    if (typeof count !== 'number' || count < epoch.count) {
      throw this.#lost(`it went back from write ${epoch.count} to ${String(count)}`)
    }
    epoch.count = count
    return answers
  }

  async #adopt(key: string): Promise<Epoch> {
    const proposed = VERSION + randomBytes(8).toString('hex')
    const reply = await this.#options.connection.run((client) => runScript(client, 'epoch', [key], [proposed]))
    const [name, count] = reply as readonly [Buffer, number]
    checkVersion(name, 'The epoch')
    return { name, count }
  }

  #lost(problem: string): LabanError {
    const { clock, logger, agent, lostPauseMs = LOST_PAUSE_MS } = this.#options
    const isFirst = clock.nowMs() >= this.#pausedUntilMs
    this.#problem = problem
    this.#pausedUntilMs = clock.nowMs() + lostPauseMs
    this.#known.clear()
    const error = this.#lostError()
    if (isFirst) logger.error(error.message, { code: error.code, agent, pauseMs: lostPauseMs })
    return error
  }

  #lostError(): LabanError {
    return new LabanError('LABAN_STORE_LOST', { url: this.#options.connection.url, problem: this.#problem })
  }
}
