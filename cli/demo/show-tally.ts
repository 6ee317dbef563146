/** Live progress of the demonstration: rewritten in place on a terminal, one line per change elsewhere. */
import { delay, type Stack } from '../../runtime/internal.ts'
import type { Output } from '../output.ts'
import { tally, type Tally } from './tally.ts'

const EVERY_MS = 100
const BAR_CELLS = 30

/** Shows progress until all applications have ended or the time is up; returns how many have. */
export async function showTally(stack: Stack, output: Output, expected: number, timeoutMs: number): Promise<number> {
  const deadlineAtMs = stack.clock.nowMs() + timeoutMs
  for (let drawn = false; ; drawn = true) {
    const now = await tally(stack)
    const isOver = now.ended >= expected || stack.clock.nowMs() >= deadlineAtMs
    if (output.isTerminal) draw(output, now, expected, drawn)
    else if (isOver) draw(output, now, expected, false)
    if (isOver) return now.ended
    await delay(stack.clock, EVERY_MS)
  }
}

function draw(output: Output, now: Tally, expected: number, isRedraw: boolean): void {
  if (isRedraw) process.stdout.moveCursor(0, -now.steps.length)
  const width = Math.max(...now.steps.map(([label]) => label.length))
  for (const [label, count] of now.steps) {
    const cells = Math.round((Math.min(count, expected) / expected) * BAR_CELLS)
    const bar = output.style('green', '█'.repeat(cells)) + output.style('dim', '░'.repeat(BAR_CELLS - cells))
    output.line(`  ${label.padEnd(width)}  ${bar}  ${String(count).padStart(4)}`)
  }
}
