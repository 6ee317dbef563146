/**
 * Everything a simulated process asks of a server passes here: the request takes time, has its effect, and the answer takes time again.
 * Requests of one connection arrive in order. Before the request and after the effect the process may die: these are the crash points.
 */
import type { Life } from './life.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Where in a call a process dies: before it asked, or when the effect is there and the answer under way. */
export type CrashPhase = 'before' | 'after'

/** Hears of every call and may end the caller there. */
export type CrashProbe = (life: Life, operation: string, phase: CrashPhase) => void

/** What a network is made of. */
export interface NetworkOptions {
  readonly time: VirtualTime
  readonly random: Random
  readonly trace: Trace
  readonly probe: CrashProbe
}

/** One way to a server; what is sent over it arrives in the order in which it was sent. */
export interface Channel {
  readonly life: Life
  /** When the last request arrived, and its answer: nothing overtakes them. */
  requestAtMs: number
  answerAtMs: number
}

/** Most calls take a moment; now and then one takes long enough for anything to come in between. */
const USUAL_MS = 2
const SLOW_MS = 600
const SLOW_SHARE = 0.02

/** One per run. */
export class Network {
  readonly #options: NetworkOptions
  /** Calls by operation. */
  readonly calls = new Map<string, number>()

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  channel(life: Life): Channel {
    return { life, requestAtMs: 0, answerAtMs: 0 }
  }

  /** Does `effect` at the server. Never settles once the process is dead; a stalled one hears the answer when it goes on. */
  call<T>(channel: Channel, operation: string, effect: () => Promise<T>): Promise<T> {
    const { life } = channel
    const { probe } = this.#options
    return new Promise<T>((resolve, reject) => {
      if (life.isDead) return
      this.calls.set(operation, (this.calls.get(operation) ?? 0) + 1)
      probe(life, operation, 'before')
      if (life.isDead) return
      channel.requestAtMs = this.#later(channel.requestAtMs, () => {
        if (life.isDead) return
        effect().then(
          (value) => this.#answer(channel, operation, () => resolve(value)),
          (error: Error) => this.#answer(channel, `${operation} failed`, () => reject(error)),
        )
      })
    })
  }

  #answer(channel: Channel, operation: string, settle: () => void): void {
    const { trace, probe } = this.#options
    const { life } = channel
    if (life.isDead) return
    trace.note(`${life.name} ${operation}`)
    probe(life, operation, 'after')
    if (!life.isDead) channel.answerAtMs = this.#later(channel.answerAtMs, () => life.run(settle))
  }

  #later(notBeforeMs: number, action: () => void): number {
    const { time, random } = this.#options
    const travelMs = random.chance(SLOW_SHARE) ? random.between(USUAL_MS, SLOW_MS) : random.between(0, USUAL_MS)
    const atMs = Math.max(notBeforeMs, time.nowMs + travelMs)
    time.after(atMs - time.nowMs, action)
    return atMs
  }
}
