/** Keeps this process's lease and answers whether others live. The rule: a lease is lost only when the store answers that it is. */
import { describeUnknown } from '../../contracts/errors.ts'
import type { LeaseStore } from '../ports/claim-store.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

export interface LeaseKeeperOptions {
  readonly leases: LeaseStore
  readonly instance: string
  readonly leaseMs: number
  readonly clock: Clock
  readonly log: Logger
  /** The lease had lapsed before it was renewed: claimed work may have been taken over. */
  readonly onLost: () => void
}

/** One per process. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  #cancel: Cancel | undefined
  #isStoreAway = false
  #renewedAtMs = 0
  #takeoverNotBeforeMs = 0
  #stopped = false

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
  }

  /** Takes the lease and renews it every third of `leaseMs`. */
  async start(): Promise<void> {
    await this.#options.leases.renew(this.#options.instance, this.#options.leaseMs)
    this.#renewedAtMs = this.#options.clock.nowMs()
    this.#schedule()
  }

  /**
   * Whether work claimed by `owner` is still in good hands. Read afresh, never from a list. While the store was away nobody could
   * renew, so until our own renewal has passed and for one lease after it every owner counts as alive.
   */
  async isAlive(owner: string): Promise<boolean> {
    if (owner === '') return false
    const nowMs = this.#options.clock.nowMs()
    if (this.#isStoreAway || this.#isOverdue(nowMs) || nowMs < this.#takeoverNotBeforeMs) return true
    return this.#options.leases.isAlive(owner)
  }

  /**
   * True when our own lease may have lapsed unnoticed: the process stood still, or the store is away. What was read before says
   * nothing then, so no handler starts until the lease has been renewed.
   */
  get isStale(): boolean {
    return this.#isOverdue(this.#options.clock.nowMs())
  }

  /** Gives the lease up, last of all: from now on others may take over what this process has claimed. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#options.leases.release(this.#options.instance).catch((error: unknown) => {
      this.#options.log.warn('lease not released; it lapses by itself', { problem: describeUnknown(error) })
    })
  }

  /** Our own renewal has not come back for so long that others' may not have, either. */
  #isOverdue(nowMs: number): boolean {
    return nowMs - this.#renewedAtMs > this.#options.leaseMs
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#cancel = this.#options.clock.after(this.#options.leaseMs / 3, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const { leases, instance, leaseMs, clock, log, onLost } = this.#options
    try {
      const held = await leases.renew(instance, leaseMs)
      const nowMs = clock.nowMs()
      const wasAway = this.#isStoreAway
      if (wasAway || this.#isOverdue(nowMs)) this.#takeoverNotBeforeMs = nowMs + leaseMs
      this.#isStoreAway = false
      this.#renewedAtMs = nowMs
      // Nobody could renew while the store was away, so nobody took over; if somebody did, compare-and-set refuses our results.
      if (!held && !wasAway && !this.#stopped) onLost()
    } catch (error) {
      this.#isStoreAway = true
      log.warn('lease not renewed', { problem: describeUnknown(error) })
    }
    this.#schedule()
  }
}
