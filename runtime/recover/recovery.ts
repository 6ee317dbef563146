/**
 * Brings an agent of this process into the memory of the store, and again whenever that was lost: tells the store what this process holds,
 * lets one process read the rest from the log, and opens the claims when that is done. The rule it keeps: no handler starts before the
 * state of its event is back.
 */
import type { EventCodec } from '../../contracts/codec.ts'
import { describeUnknown, isLabanError, LabanError } from '../../contracts/errors.ts'
import type { Admission } from '../admit/admission.ts'
import type { Agent } from '../agent.ts'
import type { Broker } from '../ports/broker.ts'
import { delay, type Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { RecoveryStore, StoreStatus } from '../ports/recovery-store.ts'
import { retryGroup } from '../../contracts/agent-topics.ts'
import type { ScanProgress } from './log-scan.ts'
import { PutBack } from './put-back.ts'
import { Rebuild } from './rebuild.ts'

export interface RecoveryOptions {
  readonly agent: Agent
  readonly instance: string
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly store: RecoveryStore
  readonly admission: Pick<Admission, 'epoch' | 'enter' | 'holdings'>
  readonly codec: EventCodec
  readonly clock: Clock
  readonly log: Logger
  readonly leaseMs: number
  /** True while this process is a member of the agent's groups. */
  readonly isMember: () => boolean
  /** Leases were lost with the rest: until everybody could renew, every owner counts as alive. */
  readonly onNewMemory: () => void
  /** It cannot go on: a newer stored format, a missing right. */
  readonly onFatal: (error: unknown) => void
  /** Aborted when the process gives up waiting for servers. */
  readonly signal: AbortSignal
}

const POLL_MS = 250
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 2_000

/** See the file's head. One per agent and process. */
export class Recovery {
  readonly #options: RecoveryOptions
  #running: Promise<void> | undefined
  #mustLookAgain = false
  #progress: string | undefined
  #ledAtMs = 0

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** What is being done; undefined while the store is in order. */
  get problem(): string | undefined {
    const { agent } = this.#options
    const progress = this.#progress
    return progress === undefined
      ? undefined
      : new LabanError('LABAN_STORE_RECOVERING', { agent: agent.name, progress }).message
  }

  /** Resolves when the claims are open. @throws LABAN_SHUTDOWN, and what `onFatal` is told */
  start(): Promise<void> {
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** The store has said that it lost its memory. */
  lost(): void {
    this.#mustLookAgain = this.#running !== undefined
    this.start().catch((error: unknown) => {
      if (!isLabanError(error) || error.errorClass !== 'control') this.#options.onFatal(error)
    })
  }

  /** Whether the store has lost its memory, asked afresh. If it has, recovery begins. @throws LABAN_STORE_UNAVAILABLE */
  async check(): Promise<boolean> {
    if (this.#running !== undefined) return true
    const { epoch } = await this.#options.store.status()
    if (epoch === this.#options.admission.epoch) return false
    this.lost()
    return true
  }

  async #run(): Promise<void> {
    const { clock, log, signal } = this.#options
    let waitMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      try {
        this.#mustLookAgain = false
        if ((await this.#enter()) && !this.#needsAnotherLook) {
          this.#progress = undefined
          return
        }
        waitMs = POLL_MS
      } catch (error) {
        if (!isLabanError(error) || error.errorClass !== 'retry') throw error
        log.warn('reading back what the store has lost does not go on', { problem: describeUnknown(error) })
        waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)
      }
      await delay(clock, waitMs / 2 + (waitMs / 2) * clock.random(), signal)
    }
    throw new LabanError('LABAN_SHUTDOWN')
  }

  /** Set by {@link lost} while this runs. */
  get #needsAnotherLook(): boolean {
    return this.#mustLookAgain
  }

  /** False: others are at it. */
  async #enter(): Promise<boolean> {
    const { store, admission, onNewMemory } = this.#options
    const status = await store.status()
    if (admission.epoch !== '' && admission.epoch !== status.epoch) onNewMemory()
    const told = new PutBack(store)
    await told.handlings(admission.holdings.handlings)
    await told.members(admission.holdings.members)
    if (!status.isRecovered && !(await this.#rebuild(status))) return false
    await admission.enter(status.epoch)
    return true
  }

  /** Reads the log, if nobody else does. */
  async #rebuild({ epoch }: StoreStatus): Promise<boolean> {
    const { store, instance, leaseMs, clock, log } = this.#options
    const startedAtMs = clock.steadyMs()
    if (!(await store.lead(instance, leaseMs))) {
      this.#progress = 'another instance is at it'
      return false
    }
    this.#ledAtMs = startedAtMs
    this.#progress = 'it begins'
    log.info('reads back from the log what the store does not know', { epoch })
    const rebuild = new Rebuild({ ...this.#options, onProgress: (progress) => this.#onProgress(progress) })
    await rebuild.look()
    if (await this.#hasOthers()) {
      await this.#waitUntil(startedAtMs + leaseMs)
      await rebuild.look()
    }
    const isComplete = await store.complete(epoch)
    const tookMs = clock.steadyMs() - startedAtMs
    if (isComplete) log.info('the store knows again what the log knows', { ...rebuild.counts, tookMs })
    return isComplete
  }

  async #onProgress({ topic, read, total }: ScanProgress): Promise<void> {
    if (this.#options.signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
    this.#progress = `${topic}, ${read} of ${total} records`
    await this.#stayLeader()
  }

  /** Who else leads meanwhile does the same: nothing is put back that is not true. */
  async #stayLeader(): Promise<void> {
    const { store, instance, leaseMs, clock } = this.#options
    if (clock.steadyMs() - this.#ledAtMs < leaseMs / 3) return
    this.#ledAtMs = clock.steadyMs()
    await store.lead(instance, leaseMs)
  }

  /** Others may hold what only they can tell: they notice the loss when they renew their lease. */
  async #waitUntil(atMs: number): Promise<void> {
    const { clock, leaseMs, signal } = this.#options
    for (let leftMs = atMs - clock.steadyMs(); leftMs > 0 && !signal.aborted; leftMs = atMs - clock.steadyMs()) {
      this.#progress = `other instances have ${Math.ceil(leftMs / 1_000)} s left to tell what they hold`
      await delay(clock, Math.min(leftMs, leaseMs / 3), signal)
      await this.#stayLeader()
    }
    if (signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
  }

  async #hasOthers(): Promise<boolean> {
    const { broker, agent, isMember, log } = this.#options
    const own = isMember() ? 1 : 0
    try {
      const groups = [agent.name, retryGroup(agent.name)]
      const described = await Promise.all(groups.map((group) => broker.admin.describeGroup(group)))
      return described.some(({ members }) => members > own)
    } catch (error) {
      log.debug('cannot see who else is in the group', { problem: describeUnknown(error) })
      return true
    }
  }
}
