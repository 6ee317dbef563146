/** The processes of the agents: each has a place that is filled again whenever its process has ended, whatever ended it. */
import { setTimeout as pause } from 'node:timers/promises'
import type { AgentProcess, Deployment } from '../../harness/processes.ts'
import type { Death, Interruption } from '../checker/history.ts'

/** What is said of a process. */
export type Tell = (what: string, pid?: number) => void

/** What runs in a place. */
export interface PlacePlan {
  readonly name: string
  readonly deployment: Deployment
  readonly files: readonly string[]
}

interface FilledPlace extends PlacePlan {
  process: AgentProcess
  state: 'starting' | 'up' | 'frozen' | 'ending'
}

const LEASE_LOST = /lease lost/
/** A lease that was lost had lapsed before that was noticed. */
const LEASE_MS = 10_000
const RESTART_PAUSE_MS = 5_000

/** See the file's head. */
export class Fleet {
  /** Times in which a process may have lost work to others. */
  readonly interruptions: Interruption[] = []
  /** Processes that died by SIGKILL. */
  readonly kills: Death[] = []
  /** Processes that ended although nobody had asked them to. */
  ownEnds = 0
  readonly #places: FilledPlace[] = []
  readonly #processes: AgentProcess[] = []
  readonly #tell: Tell
  #isClosing = false

  constructor(plans: readonly PlacePlan[], tell: Tell) {
    this.#tell = tell
    for (const plan of plans) this.#places.push(this.#fill({ ...plan }))
  }

  /** Resolves when all consume. */
  async ready(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.process.ready))
  }

  /** SIGKILL; the place is filled again after a pause. Like the others: false when nobody was there to be taken. */
  async kill(victim: number, awayMs: number): Promise<boolean> {
    const place = this.#choose(victim)
    if (place === undefined) return false
    place.state = 'ending'
    const { pid } = place.process
    this.#interrupt(pid)
    this.kills.push({ pid, atMs: Date.now() })
    this.#tell(`kill -9 ${place.name}`, pid)
    await place.process.end('SIGKILL')
    await pause(awayMs)
    this.#refill(place)
    return true
  }

  /** SIGSTOP, and SIGCONT after a while. */
  async freeze(victim: number, forMs: number): Promise<boolean> {
    const place = this.#choose(victim)
    if (place === undefined) return false
    const { pid, running } = place.process
    const fromMs = Date.now()
    place.state = 'frozen'
    running.child.kill('SIGSTOP')
    this.#tell(`stop ${place.name} for ${forMs} ms`, pid)
    await pause(forMs)
    running.child.kill('SIGCONT')
    this.interruptions.push({ pid, fromMs, untilMs: Date.now() })
    this.#tell(`continue ${place.name}`, pid)
    // It may have ended by itself meanwhile, and its place been filled again.
    if (place.process.pid === pid && place.state === 'frozen') place.state = 'up'
    return true
  }

  /** SIGTERM, and a new process once the old one has drained. */
  async restart(victim: number): Promise<boolean> {
    const place = this.#choose(victim)
    if (place === undefined) return false
    place.state = 'ending'
    const { pid } = place.process
    this.#interrupt(pid)
    this.#tell(`restart ${place.name}`, pid)
    const { code } = await place.process.end('SIGTERM')
    if (code !== 0) this.#tell(`${place.name} ended with ${String(code)} after SIGTERM`, pid)
    this.#refill(place)
    return true
  }

  /** Ends all, and notes where a lease had been lost. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all(this.#places.map(({ process }) => process.end('SIGTERM')))
    for (const { pid, running } of this.#processes) {
      for (const line of running.stderr().split('\n')) {
        const time = LEASE_LOST.test(line) ? Number(/"time":(\d+)/.exec(line)?.[1]) : NaN
        if (Number.isNaN(time)) continue
        this.interruptions.push({ pid, fromMs: time - LEASE_MS, untilMs: time })
        this.#tell('had lost its lease', pid)
      }
    }
  }

  /** What the processes have warned of, with how often. */
  warnings(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { running } of this.#processes) {
      for (const line of running.stderr().split('\n')) {
        const message = /"level":[45]0.*"msg":"([^"]*)"/.exec(line)?.[1]
        if (message !== undefined) counts.set(message, (counts.get(message) ?? 0) + 1)
      }
    }
    return counts
  }

  #fill(plan: PlacePlan): FilledPlace {
    return { ...plan, process: this.#start(plan), state: 'starting' }
  }

  #refill(place: FilledPlace): void {
    if (this.#isClosing) return
    place.process = this.#start(place)
    place.state = 'starting'
  }

  #start({ name, deployment, files }: PlacePlan): AgentProcess {
    const process = deployment.start(files)
    this.#processes.push(process)
    process.ready.then(
      () => {
        const place = this.#places.find((found) => found.process === process)
        if (place?.state === 'starting') place.state = 'up'
      },
      // Its end says why.
      () => undefined,
    )
    void process.running.ended.then(async ({ code, stderr }) => {
      const place = this.#places.find((found) => found.process === process)
      if (this.#isClosing || place === undefined || place.state === 'ending') return
      this.#interrupt(process.pid)
      this.ownEnds += 1
      this.#tell(`${name} ended by itself with ${String(code)}: ${whyOf(stderr)}`, process.pid)
      place.state = 'ending'
      await pause(RESTART_PAUSE_MS)
      this.#refill(place)
    })
    return process
  }

  #interrupt(pid: number): void {
    this.interruptions.push({ pid, fromMs: Date.now(), untilMs: Infinity })
  }

  #choose(victim: number): FilledPlace | undefined {
    const { length } = this.#places
    const order = Array.from({ length }, (_, index) => this.#places[(victim + index) % length])
    // A process that only begins has nothing to lose yet.
    const found = order.find((place) => place?.state === 'up') ?? order.find((place) => place?.state === 'starting')
    if (found === undefined) this.#tell('nobody is there to be taken')
    return found
  }
}

/** The last code of the error table that it has named, or its last words. */
function whyOf(stderr: string): string {
  return stderr.match(/LABAN_[A-Z_]+/g)?.at(-1) ?? stderr.trim().split('\n').at(-1) ?? ''
}
