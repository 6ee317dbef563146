/**
 * Sees what a handler under simulation does behind the simulation's back: timers, sockets, files, processes, threads. A run with such a
 * handler proves nothing, because its time is not the simulation's; it is reported, not ignored. Within handlers `Date` and
 * `Math.random` answer from the simulation.
 *
 * Not seen: blocking calls (`fs.readFileSync`), `process.hrtime`, `performance.now`, randomness of `node:crypto`.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import type { Clock } from '../../ports/clock.ts'

/** Whose code runs. */
export interface WatchedHandler {
  readonly agent: string
  readonly clock: Clock
}

/** What a handler did that no simulation can know of. */
export interface Dishonesty {
  readonly agent: string
  /** For people: `a timer (setTimeout)`. */
  readonly what: string
  /** Where it did so. */
  readonly stack: string
}

/** Kinds of asynchronous work that stay inside the process and its microtasks. */
const INSIDE: ReadonlySet<string> = new Set(['PROMISE', 'TickObject', 'Microtask', 'RANDOMBYTESREQUEST'])
const NAMES: Readonly<Record<string, string>> = {
  Timeout: 'a real timer (setTimeout or setInterval)',
  Immediate: 'a turn of the event loop (setImmediate)',
  TCPWRAP: 'a network connection',
  TCPCONNECTWRAP: 'a network connection',
  TLSWRAP: 'a network connection',
  GETADDRINFOREQWRAP: 'a look-up of a host name',
  HTTPCLIENTREQUEST: 'an HTTP request',
  FSREQCALLBACK: 'a file',
  FSREQPROMISE: 'a file',
  FILEHANDLE: 'a file',
  PROCESSWRAP: 'another process',
  WORKER: 'a thread',
  MESSAGEPORT: 'a thread',
  UDPWRAP: 'a network connection',
}

/** One per simulation. */
export class Honesty {
  readonly #running = new AsyncLocalStorage<WatchedHandler>()
  readonly #hook: ReturnType<typeof createHook>
  readonly #date = globalThis.Date
  readonly #random = Math.random.bind(Math)
  #seen: Dishonesty | undefined

  constructor() {
    const options = {
      // Promises are not what is looked for, and following each would cost more than the simulation itself.
      trackPromises: false,
      init: (_id: number, type: string): void => {
        if (INSIDE.has(type) || this.#seen !== undefined) return
        const handler = this.#running.getStore()
        if (handler === undefined) return
        const stack = String(new Error('here').stack).split('\n').slice(2, 12).join('\n')
        this.#seen = { agent: handler.agent, what: NAMES[type] ?? `asynchronous work (${type})`, stack }
      },
    }
    this.#hook = createHook(options)
  }

  /** What the first dishonest handler did. */
  get seen(): Dishonesty | undefined {
    return this.#seen
  }

  /** Runs a handler watched; everything it starts is watched too. */
  watch<T>(handler: WatchedHandler, run: () => T): T {
    return this.#running.run(handler, run)
  }

  begin(): void {
    this.#hook.enable()
    const now = (): number | undefined => this.#running.getStore()?.clock.nowMs()
    const random = (): number => this.#running.getStore()?.clock.random() ?? this.#random()
    Math.random = random
    globalThis.Date = new Proxy(this.#date, {
      construct: (target, values: [], newTarget) => {
        const nowMs = values.length === 0 ? now() : undefined
        return Reflect.construct(target, nowMs === undefined ? values : [nowMs], newTarget) as object
      },
      get: (target, name, receiver): unknown => {
        if (name === 'now') return () => now() ?? target.now()
        return Reflect.get(target, name, receiver)
      },
    })
  }

  end(): void {
    this.#hook.disable()
    globalThis.Date = this.#date
    Math.random = this.#random
  }
}
