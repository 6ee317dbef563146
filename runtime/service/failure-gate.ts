/**
 * Stops an agent of which most records fail, instead of draining its topics into the dead letters: a bad version or a dead dependency
 * is one problem, not a thousand. After a pause one record at a time is tried; the first that succeeds opens the gate again.
 */
import { LabanError } from '../../contracts/errors.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

export interface FailureGateOptions {
  readonly agent: string
  readonly clock: Clock
  readonly log: Logger
  /** Lanes that may run at once from now on: 0 while closed, 1 while trying, else no limit. */
  readonly onLimit: (lanes: number) => void
}

/** So many failures one after the other close the gate, */
const IN_A_ROW = 20
/** and so do more than half of the last so many ends. */
const WINDOW = 100
const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 600_000

/** See the file's head. One per agent and process; a restart begins with an open gate. */
export class FailureGate {
  readonly #options: FailureGateOptions
  #window: boolean[] = []
  #inARow = 0
  #state: 'open' | 'closed' | 'trying' = 'open'
  #pauseMs = FIRST_PAUSE_MS
  #problem: LabanError | undefined
  #cancel: Cancel | undefined

  constructor(options: FailureGateOptions) {
    this.#options = options
  }

  /** Why the agent does not consume; undefined while it does. */
  get problem(): LabanError | undefined {
    return this.#problem
  }

  /** Records of the agent's topics have ended: in a dead letter or a retry topic, or well. */
  ended(hasFailed: boolean, count = 1): void {
    if (!hasFailed) return this.#succeeded(count)
    this.#inARow++
    this.#remember(true)
    if (this.#state === 'trying') return this.#close(this.#pauseMs * 2)
    const failed = this.#window.filter(Boolean).length
    const isMost = this.#window.length >= WINDOW && failed > WINDOW / 2
    if (this.#state === 'open' && (this.#inARow >= IN_A_ROW || isMost)) this.#close(FIRST_PAUSE_MS)
  }

  stop(): void {
    this.#cancel?.()
  }

  #succeeded(count: number): void {
    this.#inARow = 0
    if (this.#state !== 'trying') {
      for (let left = Math.min(count, WINDOW); left > 0; left--) this.#remember(false)
      return
    }
    this.#state = 'open'
    this.#window = []
    this.#problem = undefined
    this.#options.log.info('a record has succeeded; consumes again', { agent: this.#options.agent })
    this.#options.onLimit(Number.POSITIVE_INFINITY)
  }

  #remember(hasFailed: boolean): void {
    this.#window.push(hasFailed)
    if (this.#window.length > WINDOW) this.#window.shift()
  }

  #close(pauseMs: number): void {
    const { agent, clock, log, onLimit } = this.#options
    this.#state = 'closed'
    this.#pauseMs = Math.min(pauseMs, LONGEST_PAUSE_MS)
    const failed = this.#window.filter(Boolean).length
    this.#problem = new LabanError('LABAN_AGENT_FAILING', {
      agent,
      failed,
      ended: this.#window.length,
      pauseS: this.#pauseMs / 1_000,
    })
    log.error(this.#problem.message, { code: this.#problem.code, remedy: this.#problem.remedy })
    onLimit(0)
    this.#cancel = clock.after(this.#pauseMs, () => {
      this.#state = 'trying'
      onLimit(1)
    })
  }
}
