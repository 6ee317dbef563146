/**
 * Dead letters are kept for a time, then their topic forgets them and nobody can redrive them any more. What waits behind one must not
 * wait for ever: from time to time the holder of a partition looks for such places and lets the successors go on.
 */
import { describeUnknown } from '../../contracts/errors.ts'
import type { TopicPartition } from '../ports/broker.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

export interface ForgottenLettersOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Partitions that this process holds now. */
  readonly held: () => readonly TopicPartition[]
  /** Lets go what waits there behind forgotten dead letters; doing it twice is harmless. */
  readonly release: (at: TopicPartition) => Promise<void>
}

/** They are kept for weeks: a day more or less does not matter. */
const EVERY_MS = 86_400_000

/** See the file's head. One per agent and process. */
export class ForgottenLetters {
  readonly #options: ForgottenLettersOptions
  #cancel: Cancel = () => undefined
  #isStopped = false

  constructor(options: ForgottenLettersOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#isStopped) return
    this.#cancel = this.#options.clock.after(EVERY_MS, () => {
      void this.#look().then(() => this.start())
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { log, held, release } = this.#options
    try {
      for (const at of held()) if (!this.#isStopped) await release(at)
    } catch (error) {
      log.warn('cannot look for forgotten dead letters; tries again later', { problem: describeUnknown(error) })
    }
  }
}
