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
  #takeoverNotBeforeMs = 0
  #stopped = false

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
  }

  /** Takes the lease and renews it every third of `leaseMs`. */
  async start(): Promise<void> {
    await this.#options.leases.renew(this.#options.instance, this.#options.leaseMs)
    this.#schedule()
  }

  /**
   * Whether work claimed by `owner` is still in good hands. Read afresh, never from a list. While the store was away nobody could
   * renew, so for one lease after its return every owner counts as alive.
   */
  async isAlive(owner: string): Promise<boolean> {
    if (owner === '') return false
    if (this.#options.clock.nowMs() < this.#takeoverNotBeforeMs) return true
    return this.#options.leases.isAlive(owner)
  }

  /** Gives the lease up, last of all: from now on others may take over what this process has claimed. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#options.leases.release(this.#options.instance).catch((error: unknown) => {
      this.#options.log.warn('lease not released; it lapses by itself', { problem: describeUnknown(error) })
    })
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#cancel = this.#options.clock.after(this.#options.leaseMs / 3, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const { leases, instance, leaseMs, clock, log, onLost } = this.#options
    try {
      const held = await leases.renew(instance, leaseMs)
      const wasAway = this.#isStoreAway
      this.#isStoreAway = false
      // Nobody could renew meanwhile, so nobody takes over yet; if somebody did, compare-and-set refuses our results.
      if (wasAway) this.#takeoverNotBeforeMs = clock.nowMs() + leaseMs
      else if (!held && !this.#stopped) onLost()
    } catch (error) {
      this.#isStoreAway = true
      log.warn('lease not renewed', { problem: describeUnknown(error) })
    }
    this.#schedule()
  }
}
