/** What a flow has cost: the costs that handlers named for their steps, in whatever unit they use. */
import type { FlowHandling } from './flow-graph.ts'

/** Sum over the steps of handlings; null when none of them has a cost. A replayed step was paid for when it first ran. */
export function costOf(handlings: Iterable<Pick<FlowHandling, 'steps'>>): number | null {
  let sum: number | null = null
  for (const { steps } of handlings) for (const { cost } of steps) if (cost !== null) sum = (sum ?? 0) + cost
  return sum
}

/** A cost as people read it: six significant digits are enough, and 0.1 + 0.2 is 0.3. */
export function costText(cost: number): string {
  return String(Number(cost.toPrecision(6)))
}
