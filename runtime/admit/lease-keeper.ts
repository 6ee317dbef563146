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
  /** The lease had lapsed before it was renewed: claimed work may have been taken over, or the store has lost its memory. */
  readonly onLost: () => void
  /** What the process says of itself with every renewal. @default nothing */
  readonly note?: () => string
  /** Told once when the store stops answering, and once when it answers again: an idle process asks it nothing else. */
  readonly onAvailability?: (isAvailable: boolean, error?: unknown) => void
}

/** What has become of the renewals. */
export interface LeaseCounts {
  readonly renewals: number
  /** The store did not answer. */
  readonly failures: number
  /** See `LeaseKeeperOptions.onLost`. */
  readonly losses: number
}

/** The same moment on both clocks. */
interface Moment {
  readonly wallMs: number
  readonly steadyMs: number
}

/** One per process. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  #cancel: Cancel | undefined
  #isStoreAway = false
  #renewedAt: Moment = { wallMs: 0, steadyMs: 0 }
  /** The store has forgotten the lease with everything else, and is known to have. */
  #isForgotten = false
  /** By the steady clock. */
  #takeoverNotBeforeMs = 0
  #stopped = false
  #renewals = 0
  #failures = 0
  #losses = 0

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
  }

  get counts(): LeaseCounts {
    return { renewals: this.#renewals, failures: this.#failures, losses: this.#losses }
  }

  /** Takes the lease and renews it every third of `leaseMs`. */
  async start(): Promise<void> {
    await this.#options.leases.renew(this.#options.instance, this.#options.leaseMs)
    this.#renewedAt = this.#now()
    this.#schedule()
  }

  /**
   * Whether work claimed by `owner` is still in good hands. Read afresh, never from a list. While the store was away nobody could
   * renew, so until our own renewal has passed and for one lease after it every owner counts as alive.
   */
  async isAlive(owner: string): Promise<boolean> {
    if (owner === '') return false
    if (this.#isStoreAway || this.isStale || this.#now().steadyMs < this.#takeoverNotBeforeMs) return true
    return this.#options.leases.isAlive(owner)
  }

  /**
   * True when our own lease may have lapsed unnoticed: the process stood still, or the store is away. What was read before says
   * nothing then, so no handler starts until the lease has been renewed.
   */
  get isStale(): boolean {
    return this.#isOverdue(this.#now())
  }

  /**
   * The store has lost all leases: until everybody has had time to renew, every owner counts as alive. Our own is renewed at once, so
   * that whoever looks from outside does not take us for dead.
   */
  pardon(): void {
    this.#isForgotten = true
    this.#takeoverNotBeforeMs = this.#now().steadyMs + this.#options.leaseMs
    this.#schedule(0)
  }

  /** Gives the lease up, last of all: from now on others may take over what this process has claimed. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#options.leases.release(this.#options.instance).catch((error: unknown) => {
      this.#options.log.warn('lease not released; it lapses by itself', { problem: describeUnknown(error) })
    })
  }

  /**
   * Our own renewal has not come back for so long that others' may not have, either. The wall clock may be set back, the steady one
   * may stand still while the machine sleeps: the one that says more counts.
   */
  #isOverdue({ wallMs, steadyMs }: Moment): boolean {
    const { leaseMs } = this.#options
    return wallMs - this.#renewedAt.wallMs > leaseMs || steadyMs - this.#renewedAt.steadyMs > leaseMs
  }

  #now(): Moment {
    const { clock } = this.#options
    return { wallMs: clock.nowMs(), steadyMs: clock.steadyMs() }
  }

  /** The next renewal, instead of any that was planned. */
  #schedule(inMs = this.#options.leaseMs / 3): void {
    this.#cancel?.()
    if (this.#stopped) return
    this.#cancel = this.#options.clock.after(inMs, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const { leases, instance, leaseMs, onLost, onAvailability, note } = this.#options
    try {
      const held = await leases.renew(instance, leaseMs, note?.() ?? '')
      this.#renewals++
      const now = this.#now()
      const wasAway = this.#isStoreAway
      if (wasAway || this.#isOverdue(now)) this.#takeoverNotBeforeMs = now.steadyMs + leaseMs
      if (wasAway) onAvailability?.(true)
      this.#isStoreAway = false
      this.#renewedAt = now
      // Nobody could renew while the store was away, so nobody took over; if somebody did, compare-and-set refuses our results.
      if (!held && !wasAway && !this.#isForgotten && !this.#stopped) {
        this.#losses++
        onLost()
      }
      this.#isForgotten = false
    } catch (error) {
      this.#failures++
      if (!this.#isStoreAway) onAvailability?.(false, error)
      this.#isStoreAway = true
    }
    this.#schedule()
  }
}
