/** What a simulation reports: counts over all runs, and of the first violation all that is needed to see it again. */
import type { Finding } from '../invariants/history.ts'
import { describeFault, type FaultKind, type PlannedFault } from './fault-plan.ts'
import type { RunResult } from './run.ts'

/** A run that broke something. */
export interface Violation {
  /** Of the run: `simulate(agents, { seed, runs: 1 })` with otherwise the same options repeats it exactly. */
  readonly seed: number
  readonly findings: readonly Finding[]
  /** The fewest faults with which it still happens, in the order in which they strike. */
  readonly faults: readonly PlannedFault[]
  /** The last happenings of the run, and those of the flow. */
  readonly trace: readonly string[]
  /** Names the whole trace. */
  readonly digest: string
}

/** Counts over all runs. */
export interface SimulationReport {
  readonly seed: number
  readonly runs: number
  readonly flows: number
  /** Records of event topics. */
  readonly events: number
  /** Faults that struck. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  /** Fewest faults that struck in one run. */
  readonly fewestFaults: number
  /** Fewest flows of one run. */
  readonly fewestFlows: number
  /** Calls of servers by operation: `store compute`, `send facts`, … */
  readonly calls: Readonly<Record<string, number>>
  /** Processes that died, by operation and by whether it had taken effect: `store compute after`. */
  readonly crashPoints: Readonly<Record<string, number>>
  /** Ends and turns of handlings: the outcomes of their facts. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Time that passed in the runs. */
  readonly virtualMs: number
  /** Names the traces of all runs together: two simulations of the same seed have the same. */
  readonly digest: string
  readonly violation: Violation | undefined
}

/** Adds runs up. */
export class ReportBuilder {
  readonly #seed: number
  readonly #faults = new Map<FaultKind, number>()
  readonly #calls = new Map<string, number>()
  readonly #crashPoints = new Map<string, number>()
  readonly #outcomes = new Map<string, number>()
  readonly #digests: string[] = []
  #flows = 0
  #events = 0
  #virtualMs = 0
  #fewestFaults = Infinity
  #fewestFlows = Infinity

  constructor(seed: number) {
    this.#seed = seed
  }

  add(run: RunResult): void {
    const { history } = run
    this.#digests.push(run.digest)
    this.#virtualMs += run.virtualMs
    this.#events += history.events.length
    const flows = new Set(history.events.map(({ envelope }) => envelope.flowId)).size
    this.#flows += flows
    this.#fewestFlows = Math.min(this.#fewestFlows, flows)
    this.#fewestFaults = Math.min(this.#fewestFaults, run.fired.length)
    for (const { kind } of run.fired) count(this.#faults, kind)
    for (const point of run.crashPoints) count(this.#crashPoints, point)
    for (const { fact } of history.facts) count(this.#outcomes, fact.outcome)
    for (const [operation, calls] of run.calls) count(this.#calls, operation, calls)
  }

  report(digestOf: (digests: readonly string[]) => string, violation?: Violation): SimulationReport {
    return {
      seed: this.#seed,
      runs: this.#digests.length,
      flows: this.#flows,
      events: this.#events,
      faults: sorted(this.#faults),
      fewestFaults: this.#digests.length === 0 ? 0 : this.#fewestFaults,
      fewestFlows: this.#digests.length === 0 ? 0 : this.#fewestFlows,
      calls: sorted(this.#calls),
      crashPoints: sorted(this.#crashPoints),
      outcomes: sorted(this.#outcomes),
      virtualMs: this.#virtualMs,
      digest: digestOf(this.#digests),
      violation,
    }
  }
}

function count<K>(counts: Map<K, number>, key: K, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

function sorted<K extends string>(counts: ReadonlyMap<K, number>): Record<K, number> {
  return Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1))) as Record<K, number>
}

const SHOWN_FINDINGS = 5
const SHOWN_LINES = 40

/** A violation for people: what broke, where, under which faults, and what happened last. */
export function describeViolation({ seed, findings, faults, trace, digest }: Violation): string {
  const found = findings.slice(0, SHOWN_FINDINGS).map(({ invariant, problem, flowId, records = [] }) => {
    const flow = flowId === undefined ? '' : `\n    flow ${flowId}`
    return `  ${invariant}: ${problem}${flow}${records.map((place) => `\n    record ${place}`).join('')}`
  })
  const more = findings.length > SHOWN_FINDINGS ? [`  and ${findings.length - SHOWN_FINDINGS} more`] : []
  return [
    `seed ${seed}, trace ${digest}`,
    ...found,
    ...more,
    `with ${faults.length === 0 ? 'no faults' : 'these faults:'}`,
    ...faults.map((fault) => `  ${describeFault(fault)}`),
    'what happened (ms since the run began):',
    ...trace.slice(-SHOWN_LINES).map((line) => `  ${line}`),
  ].join('\n')
}

/** The lines of a trace that speak of what was found, else its end. */
export function contextOf(run: RunResult): readonly string[] {
  const [finding] = run.findings
  const words = [...(finding?.records ?? []), ...idsIn(finding?.problem ?? '')]
  const about = run.trace.filter((line) => line.includes(' ! ') || words.some((word) => line.includes(word)))
  return (words.length > 0 ? about : run.trace).slice(-SHOWN_LINES)
}

function idsIn(text: string): string[] {
  return text.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? []
}
