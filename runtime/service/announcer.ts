/** Keeps manifests alive on `laban.agents`: now and then again, and at once when something changes that others should know. */
import type { EventCodec } from '../../contracts/codec.ts'
import { AGENTS_TOPIC } from '../../contracts/contract.ts'
import { describeUnknown } from '../../contracts/errors.ts'
import type { Manifest } from '../../contracts/manifest.ts'
import type { OutgoingRecord } from '../ports/broker.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

/** A manifest that is older than three of these belongs to a process that died. */
export const ANNOUNCE_EVERY_MS = 10_000
/** A problem is told so soon. */
const LOOK_EVERY_MS = 1_000

export interface AnnouncerOptions {
  /** What is announced, in this state. */
  readonly manifests: (state: Manifest['state']) => readonly Manifest[]
  /** What is announced at once when it changes, as one text. */
  readonly circumstances: () => string
  /** Appends to the log. */
  readonly append: (records: readonly OutgoingRecord[]) => Promise<unknown>
  /** Writes manifests. */
  readonly codec: EventCodec
  readonly clock: Clock
  readonly log: Logger
}

/** One per process. What cannot be announced is said in the log, and tried again with the next turn. */
export class Announcer {
  readonly #options: AnnouncerOptions
  #cancel: Cancel | undefined
  #isStopped = false
  #announced = ''
  #announcedAtMs = 0

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** Announces as running, now and then again. */
  async start(): Promise<void> {
    await this.#announce('running')
    this.#schedule()
  }

  /** The last word of this process. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#announce('stopped')
  }

  #schedule(): void {
    if (this.#isStopped) return
    const { clock, circumstances } = this.#options
    this.#cancel = clock.after(LOOK_EVERY_MS, () => {
      const isDue = clock.steadyMs() - this.#announcedAtMs >= ANNOUNCE_EVERY_MS
      if (!isDue && circumstances() === this.#announced) return this.#schedule()
      void this.#announce('running').finally(() => this.#schedule())
    })
  }

  async #announce(state: Manifest['state']): Promise<void> {
    const { manifests, circumstances, append, codec, clock, log } = this.#options
    this.#announced = circumstances()
    this.#announcedAtMs = clock.steadyMs()
    const records = manifests(state).map((manifest) => {
      const value = codec.encode(AGENTS_TOPIC, manifest)
      return { topic: AGENTS_TOPIC, key: `${manifest.agent}|${manifest.instance}`, value, headers: {} }
    })
    try {
      await append(records)
    } catch (error) {
      log.warn('manifest not announced', { problem: describeUnknown(error) })
    }
  }
}
