/** Asks processes for `/live` and `/ready` all the time, and knows what they answered and logged from a moment on. */
import type { AgentProcess } from '../../harness/processes.ts'

const EVERY_MS = 200
/** A probe of Kubernetes gives up after one second by default. */
const ANSWER_MS = 1_000

interface Sample {
  readonly atMs: number
  readonly pid: number
  /** Undefined: no answer in time. */
  readonly live: number | undefined
  readonly ready: number | undefined
  readonly problems: readonly string[]
}

/** What was seen and said between two moments. */
export interface Seen {
  /** Answers of `/live` that were not 200, or did not come. */
  readonly notLive: number
  /** From the first moment on until a process first said that it is not ready; undefined: never. */
  readonly notReadyAfterMs: number | undefined
  /** Distinct problems of `/ready`. */
  readonly problems: readonly string[]
  /** Distinct lines of the log at warn and above, codes first. */
  readonly said: readonly string[]
}

/** See the file's head. */
export class HealthWatch {
  readonly #processes: readonly AgentProcess[]
  readonly #samples: Sample[] = []
  readonly #logFrom = new Map<number, number>()
  readonly #timer: NodeJS.Timeout
  readonly #asking = new Set<number>()

  constructor(processes: readonly AgentProcess[]) {
    this.#processes = processes
    this.#timer = setInterval(() => processes.forEach((each) => void this.#ask(each)), EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** From here on log lines count. */
  mark(): void {
    for (const { pid, running } of this.#processes) this.#logFrom.set(pid, running.stderr().length)
  }

  /** What was seen from `fromMs` on; of the processes that are asked about. */
  seen(fromMs: number, isAsked: (pid: number) => boolean = () => true): Seen {
    const samples = this.#samples.filter(({ atMs, pid }) => atMs >= fromMs && isAsked(pid))
    const first = samples.find(({ ready }) => ready !== 200)
    return {
      notLive: samples.filter(({ live }) => live !== 200).length,
      notReadyAfterMs: first === undefined ? undefined : first.atMs - fromMs,
      problems: [...new Set(samples.flatMap(({ problems }) => problems))],
      said: [...new Set(this.#processes.filter(({ pid }) => isAsked(pid)).flatMap((each) => this.#said(each)))],
    }
  }

  /** When all processes were last seen to become ready; undefined while one is not. */
  get readySinceMs(): number | undefined {
    const last = this.#processes.map(({ pid }) => {
      const own = this.#samples.filter((sample) => sample.pid === pid)
      const lastBad = own.findLastIndex(({ ready }) => ready !== 200)
      return own[lastBad + 1]?.atMs
    })
    return last.some((atMs) => atMs === undefined) ? undefined : Math.max(...last.map((atMs) => atMs ?? 0))
  }

  async #ask(process: AgentProcess): Promise<void> {
    const { pid } = process
    if (this.#asking.has(pid)) return
    this.#asking.add(pid)
    const atMs = Number(globalThis.process.hrtime.bigint() / 1_000_000n)
    const ask = (path: 'live' | 'ready') => Promise.race([process.health(path), nothing()]).catch(() => undefined)
    const [live, ready] = await Promise.all([ask('live'), ask('ready')])
    const problems = ready?.problems ?? []
    this.#samples.push({ atMs, pid, live: live?.status, ready: ready?.status, problems })
    this.#asking.delete(pid)
  }

  #said({ pid, running }: AgentProcess): readonly string[] {
    const lines = running
      .stderr()
      .slice(this.#logFrom.get(pid) ?? 0)
      .split('\n')
    return lines.flatMap((line) => {
      if (!line.startsWith('{')) return line.trim() === '' ? [] : [line.trim()]
      const entry = JSON.parse(line) as Readonly<Record<string, string | number>>
      const place = entry['topic'] === undefined ? '' : ` (${entry['topic']}/${entry['partition'] ?? ''})`
      const problem = entry['problem'] === undefined ? '' : `: ${entry['problem']}`
      const remedy = entry['remedy'] === undefined ? '' : ` [remedy: ${entry['remedy']}]`
      return [`${entry['code'] ?? ''} ${entry['msg'] ?? ''}${place}${problem}${remedy}`.trim()]
    })
  }
}

function nothing(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ANSWER_MS))
}
