/** The figures of all flows as a line, those of all agents as lines of a table. */
import type { AgentFigures } from '../../runtime/internal.ts'
import { durationText } from '../../tracing/index.ts'
import type { Output } from '../output.ts'
import { tableLines } from '../table.ts'
import type { FlowFigures } from './flow-watch.ts'

const HEADER = ['AGENT', 'STATE', 'INST', 'RATE/s', 'LONG', 'LAG', 'OLDEST', 'RETRY/s', 'DEAD', 'DRAINED IN']
/** Columns of numbers, aligned to the right. */
const NUMBERS: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8, 9])

/** One line about flows; null stands for no ledger that could tell. */
export function flowLine(flows: FlowFigures | null, style: Output['style']): string {
  if (flows === null) return style('dim', 'flows  not counted: no ledger is read here (laban ledger run)')
  const { inProgress, waiting, stuck, completed, failed, p50Ms, p99Ms } = flows
  const states = `${inProgress} in progress, ${waiting} waiting, ${stuck} stuck`
  const took = p50Ms === null || p99Ms === null ? '' : `, p50 ${durationText(p50Ms)}, p99 ${durationText(p99Ms)}`
  const line = `flows  ${states}; of the last 5 min ${failed} failed, ${completed} completed${took}`
  return stuck + failed > 0 ? style('yellow', line) : line
}

/** Header and one line per agent; a line in red needs somebody, one in yellow may. */
export function figureLines(figures: readonly AgentFigures[], style: Output['style']): string[] {
  const rows = [HEADER, ...figures.map(rowOf)]
  const widths = HEADER.map((_title, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const aligned = rows.map((row) =>
    row.map((cell, column) => (NUMBERS.has(column) ? cell.padStart(widths[column] ?? 0) : cell)),
  )
  const [header = '', ...lines] = tableLines(aligned[0] ?? HEADER, aligned.slice(1))
  return [style('dim', header), ...lines.map((line, index) => styled(line, figures[index], style))]
}

function rowOf(at: AgentFigures): string[] {
  const drained = at.drainMs === null ? 'never' : at.drainMs === 0 ? '-' : durationText(at.drainMs)
  return [
    at.agent,
    at.state,
    String(at.instances),
    rateText(at.completedPerSecond),
    countText(at.running),
    countText(at.lag),
    at.oldestMs === null ? '-' : durationText(at.oldestMs),
    rateText(at.retriedPerSecond),
    countText(at.deadLetters),
    drained,
  ]
}

function styled(line: string, at: AgentFigures | undefined, style: Output['style']): string {
  if (at === undefined) return line
  if (at.state === 'stands still' || at.state === 'silent') return style('red', line)
  if (at.deadLetters > 0 || at.retriedPerSecond > 0 || at.state === 'draining') return style('yellow', line)
  return at.state === 'stopped' ? style('dim', line) : line
}

function countText(count: number): string {
  return count === 0 ? '-' : String(count)
}

/** Three figures: `0.4`, `12.5`, `3120`. */
function rateText(perSecond: number): string {
  if (perSecond === 0) return '-'
  return perSecond < 100 ? perSecond.toFixed(1) : String(Math.round(perSecond))
}
