/**
 * Somebody who looks after dead letters while a run goes on: redrives some, mostly more than once, and discards what has failed too
 * often, so that nothing waits for ever. Works with the same desk as `laban dlq`.
 */
import type { EventCodec } from '../../../contracts/codec.ts'
import type { ContractSet } from '../../../contracts/contract-set.ts'
import { describeUnknown } from '../../../contracts/errors.ts'
import { openDesk, type DeadLetterDesk } from '../../dead-letter-desk.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import { silentLogger } from '../../ports/logger.ts'
import { readDeadLetters, type DeadLetter } from '../../readback/dead-letters.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'

/** What the clerk works with. */
export interface ClerkOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly random: Random
  readonly trace: Trace
  readonly contracts: ContractSet
  readonly codec: EventCodec
}

const LOOK_AFTER_MS = 3_000
/** Where the log did not answer. */
const LOOK_AGAIN_MS = 5_000
const REDRIVE_SHARE = 0.5
const MOST_REDRIVES = 2
const MOST_TIMES = 3
const LONGEST_WAIT_MS = 15_000
const CLERK = 'clerk'

/** One per run. */
export class DeadLetterClerk {
  readonly #options: ClerkOptions
  readonly #desk: Promise<DeadLetterDesk>
  readonly #seen = new Set<string>()
  /** Agents with letters that have not been looked at; true while somebody looks. */
  readonly #looking = new Map<string, boolean>()
  #open = 0

  constructor(options: ClerkOptions) {
    this.#options = options
    this.#desk = openDesk({ ...options, log: silentLogger, instance: CLERK })
  }

  /** True when every letter has been seen to. */
  get isOver(): boolean {
    return this.#open === 0
  }

  /** There may be a new letter of this agent. */
  notice(agent: string): void {
    if (this.#looking.get(agent) === false) return
    this.#looking.set(agent, false)
    this.#later(LOOK_AFTER_MS, () => this.#look(agent))
  }

  async #look(agent: string): Promise<void> {
    this.#looking.delete(agent)
    const { broker, random, trace } = this.#options
    try {
      for (const letter of await readDeadLetters({ broker }, agent)) {
        const name = `${agent} ${letter.handlingId} ${letter.eventId} ${letter.generation}`
        if (letter.status !== 'open' || this.#seen.has(name)) continue
        this.#seen.add(name)
        this.#decide(letter, random)
      }
    } catch (error) {
      trace.note(`${CLERK} cannot read: ${describeUnknown(error)}`)
      this.#later(LOOK_AGAIN_MS, () => this.#look(agent))
    }
  }

  #decide(letter: DeadLetter, random: Random): void {
    const isRedriven = letter.generation <= MOST_REDRIVES && random.chance(REDRIVE_SHARE)
    const times = random.between(1, MOST_TIMES)
    for (let count = 0; count < times; count++) {
      this.#later(random.between(0, LONGEST_WAIT_MS), async () => {
        const desk = await this.#desk
        const what = `${letter.agent} ${letter.handlingId} generation ${letter.generation}`
        this.#options.trace.note(`${CLERK} ${isRedriven ? 'redrives' : 'discards'} ${what}`)
        await (isRedriven ? desk.redrive(letter) : desk.discard(letter, 'simulated'))
      })
    }
  }

  #later(delayMs: number, action: () => Promise<void>): void {
    this.#open++
    this.#options.clock.after(delayMs, () => {
      void action().finally(() => this.#open--)
    })
  }
}
