/** Adds up what the runs of a scene came to; plain data, so that a trial can be written to a file and gone on with. */
import type { SimulationReport } from '../../../runtime/testing/simulation/report.ts'

/** Sums over the runs of one scene. */
export interface Tally {
  runs: number
  flows: number
  events: number
  virtualMs: number
  /** Spent by all processes together. */
  tookMs: number
  /** Fewest faults that struck in one run. */
  fewestFaults: number | null
  /** Fewest flows of one run. */
  fewestFlows: number | null
  readonly faults: Record<string, number>
  readonly crashPoints: Record<string, number>
  readonly outcomes: Record<string, number>
  readonly violations: { readonly seed: number; readonly said: string }[]
}

/** Nothing yet. */
export function emptyTally(): Tally {
  return {
    ...{ runs: 0, flows: 0, events: 0, virtualMs: 0, tookMs: 0, fewestFaults: null, fewestFlows: null },
    ...{ faults: {}, crashPoints: {}, outcomes: {}, violations: [] },
  }
}

/** Adds a report to the sums. */
export function addReport(tally: Tally, report: SimulationReport, tookMs: number): void {
  addUp(tally, { ...report, tookMs })
  const { violation } = report
  if (violation === undefined) return
  const [finding] = violation.findings
  tally.violations.push({ seed: violation.seed, said: `${finding?.invariant}: ${finding?.problem}` })
}

/** Adds sums to sums. */
export function addTally(tally: Tally, other: Tally): void {
  addUp(tally, other)
  tally.violations.push(...other.violations)
}

function addUp(tally: Tally, other: Omit<Tally, 'violations' | 'faults' | 'crashPoints' | 'outcomes'> & Counts): void {
  tally.runs += other.runs
  tally.flows += other.flows
  tally.events += other.events
  tally.virtualMs += other.virtualMs
  tally.tookMs += other.tookMs
  if (other.runs > 0) {
    tally.fewestFaults = least(tally.fewestFaults, other.fewestFaults)
    tally.fewestFlows = least(tally.fewestFlows, other.fewestFlows)
  }
  for (const field of ['faults', 'crashPoints', 'outcomes'] as const) {
    const sums = tally[field]
    for (const [name, count] of Object.entries(other[field])) sums[name] = (sums[name] ?? 0) + count
  }
}

interface Counts {
  readonly faults: Readonly<Record<string, number>>
  readonly crashPoints: Readonly<Record<string, number>>
  readonly outcomes: Readonly<Record<string, number>>
}

function least(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right
  return Math.min(left, right)
}

/** For people. */
export function describeTally(name: string, tally: Tally): string {
  const { runs, flows, events, virtualMs, tookMs, fewestFaults, fewestFlows, violations } = tally
  const rate = ((runs / Math.max(1, tookMs)) * 1_000).toFixed(1)
  const days = Math.round(virtualMs / 86_400_000)
  const struck = Object.values(tally.faults).reduce((sum, count) => sum + count, 0)
  return [
    `${name}: ${runs} runs, ${flows} flows (at least ${fewestFlows} a run), ${events} events, ${days} virtual days, ${rate} runs/s a process`,
    `  ${struck} faults (at least ${fewestFaults} a run): ${listed(tally.faults)}`,
    `  died at: ${listed(tally.crashPoints)}`,
    `  outcomes: ${listed(tally.outcomes)}`,
    `  violations: ${violations.map(({ seed, said }) => `\n    seed ${seed}: ${said}`).join('') || 'none'}`,
  ].join('\n')
}

function listed(sums: Readonly<Record<string, number>>): string {
  return Object.entries(sums)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}
