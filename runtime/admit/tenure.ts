/**
 * Knows which records may have killed the process that had their partition before. Who holds a partition leaves a mark and takes it away
 * when it gives the partition up: a mark that is still there tells of a death. It costs nothing per record.
 */
import { isLabanError } from '../../contracts/errors.ts'
import type { TopicPartition } from '../ports/broker.ts'
import { delay, type Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { MarkStore } from '../ports/mark-store.ts'

export interface TenureOptions {
  readonly marks: MarkStore
  readonly instance: string
  readonly isAlive: (instance: string) => Promise<boolean>
  readonly clock: Clock
  readonly log: Logger
}

/** A hold on a partition, and one of its records. */
interface Held extends TopicPartition {
  readonly offset: number
  readonly home: object
}

/** So many offsets from the first unfinished one may have been under way when the process died. */
const SUSPECTS = 16_384
/** A living process takes its mark away when it hears of the rebalance, which is about now. */
const GIVES_UP_WITHIN_MS = 1_000
const LOOK_EVERY_MS = 50

/** See the file's head. One per agent and process. */
export class Tenure {
  readonly #options: TenureOptions
  /** Per hold on a partition: offsets below it are suspects; 0 for none. */
  readonly #suspectBelow = new WeakMap<object, number>()
  readonly #loading = new WeakMap<object, Promise<void>>()
  /** The last word about each partition: marks of one partition are written one after the other. */
  readonly #writing = new Map<string, Promise<void>>()

  constructor(options: TenureOptions) {
    this.#options = options
  }

  /** True once {@link take} has ended for this hold on a partition. */
  isTaken(home: object): boolean {
    return this.#suspectBelow.has(home)
  }

  /** Takes a partition whose first unfinished record is this one. Never rejects: without an answer nothing is suspected. */
  take(first: Held): Promise<void> {
    const known = this.#loading.get(first.home)
    if (known !== undefined) return known
    const taking = this.#inTurn(nameOf(first), () => this.#take(first))
    this.#loading.set(first.home, taking)
    return taking
  }

  /** Gives a partition up in good order. */
  giveUp(home: TopicPartition): void {
    const name = nameOf(home)
    if (this.#loading.has(home)) void this.#inTurn(name, () => this.#options.marks.clear(name, this.#options.instance))
  }

  /** Whether this record may have been under way when the process died that had its partition before. */
  isSuspect({ home, offset }: Held): boolean {
    return offset < (this.#suspectBelow.get(home) ?? 0)
  }

  /** Resolves when all marks are written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values())
  }

  async #take(first: Held): Promise<void> {
    const { marks, instance, log } = this.#options
    const name = nameOf(first)
    let suspectBelow = 0
    try {
      const before = await this.#afterGivingUp(name)
      if (before !== undefined && before !== instance) {
        suspectBelow = first.offset + SUSPECTS
        log.info('the process before has not given its partition up; its records are claimed before they run', {
          ...{ topic: first.topic, partition: first.partition, before },
        })
      }
      await marks.set(name, instance)
    } finally {
      this.#suspectBelow.set(first.home, suspectBelow)
    }
  }

  /** Who has the partition, once a living process has had time to give it up. */
  async #afterGivingUp(name: string): Promise<string | undefined> {
    const { marks, instance, isAlive, clock } = this.#options
    for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
      const before = await marks.get(name)
      if (before === undefined || before === instance || waitedMs >= GIVES_UP_WITHIN_MS) return before
      if (!(await isAlive(before))) return before
      await delay(clock, LOOK_EVERY_MS)
    }
  }

  /** A store that is away is not waited for: marks are hints. */
  #inTurn(name: string, write: () => Promise<void>): Promise<void> {
    const writing = (this.#writing.get(name) ?? Promise.resolve()).then(write).catch((error: unknown) => {
      if (isLabanError(error)) this.#options.log.debug('no mark', { name, code: error.code })
      else throw error
    })
    this.#writing.set(name, writing)
    return writing
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `held:${topic}/${partition}`
}
