/** A result in words: what was done to the agents, what they made of it, and what the checker found. */
import type { Figures } from './checker/figures.ts'
import type { ChaosPlan, ChaosResult } from './run-chaos.ts'
import type { Judged } from './scene/stage.ts'

const SHOWN_VIOLATIONS = 40

/** True when nothing is lost, nothing doubled, and everything has ended. */
export function isFlawless({ choreographies }: ChaosResult): boolean {
  return choreographies.every(({ violations, behind }) => violations.length === 0 && behind.length === 0)
}

/** Several lines. */
export function describeResult({ seed, durationMs, flowsPerSecond }: ChaosPlan, result: ChaosResult): string {
  const { done, ownEnds, publishedAgain, redriven, quietMs, warnings } = result
  const minutes = (durationMs / 60_000).toFixed(1)
  return [
    `seed ${seed}, ${minutes} minutes, ${flowsPerSecond} flows/s; all had ended ${seconds(quietMs)} s after the last fault`,
    `faults: ${listed(done)}; ended by themselves: ${ownEnds}; files published again: ${publishedAgain}`,
    `put aside after the deaths of three processes, and sent once more at the end: ${redriven}`,
    ...result.choreographies.flatMap(describeJudged),
    `warnings: ${listed(warnings) || 'none'}`,
    verdict(result),
  ].join('\n')
}

function verdict(result: ChaosResult): string {
  const all = result.choreographies.flatMap(({ violations }) => violations)
  const count = (kind: string): number => all.filter((violation) => violation.kind === kind).length
  const flows = result.choreographies.reduce((sum, judged) => sum + judged.flows, 0)
  const open = result.choreographies.flatMap(({ behind }) => behind).length
  const found = `${count('lost')} lost, ${count('doubled')} doubled, ${count('wrong')} otherwise wrong`
  return `${isFlawless(result) ? 'PASSED' : 'FAILED'}: ${flows} flows, ${found}, ${open} partitions not at their end`
}

function describeJudged({ name, flows, figures, violations, behind }: Judged): string[] {
  const shown = violations
    .slice(0, SHOWN_VIOLATIONS)
    .map(({ rule, kind, problem }) => `    ${rule} ${kind}: ${problem}`)
  return [
    `${name}: ${flows} flows, ${figures.events} events, ${figures.repeatedRecords} records repeated`,
    `  facts: ${listed(figures.outcomes)}`,
    ...describeCalls(figures),
    `  violations: ${violations.length}`,
    ...shown,
    ...(violations.length > shown.length ? [`    and ${violations.length - shown.length} more`] : []),
    ...(behind.length > 0 ? [`  not at the end: ${behind.join('; ')}`] : []),
  ]
}

function describeCalls({ begins, begun, steps, takeoversMs, hinderedTakeoversMs }: Figures): string[] {
  if (begins === 0) return []
  const of = [...steps].map(
    ([name, { calls, repeated, applied }]) => `${name} ${calls} (${repeated} repeated, ${applied} applied)`,
  )
  return [
    `  handlers began ${begins} times for ${begun} events; calls: ${of.join(', ')}`,
    `  takeovers after kill -9: ${spread(takeoversMs)}; while a server was away: ${spread(hinderedTakeoversMs)}`,
  ]
}

/** Of ascending times. */
function spread(times: readonly number[]): string {
  const at = (share: number): string => seconds(times[Math.ceil(times.length * share) - 1] ?? 0)
  return times.length === 0 ? 'none' : `${times.length}, p50 ${at(0.5)} s, p99 ${at(0.99)} s, longest ${at(1)} s`
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1)
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}
