/** Follows a flow until it ends: what happens is told line by line, as it is seen. */
import { delay, systemClock } from '../../runtime/internal.ts'
import { flowEnd, newsLines, type FlowGraph } from '../../tracing/index.ts'
import type { Output } from '../output.ts'

/** How to follow. */
export interface FollowOptions {
  /** Reads the flow anew. */
  readonly read: () => Promise<FlowGraph>
  readonly output: Output
  /** Ends it early. */
  readonly signal: AbortSignal
  /** Pause between two readings. @default 500 */
  readonly everyMs?: number
}

/** Reading a large flow takes a while; the log is not asked more than a quarter of the time. */
const PAUSE_PER_READING = 3

/** Resolves with the last reading when the flow has ended, stands still, or the signal has aborted. */
export async function followFlow(
  first: FlowGraph,
  { read, output, signal, everyMs = 500 }: FollowOptions,
): Promise<FlowGraph> {
  let graph = first
  for (const line of newsLines(undefined, graph, { colors: output.hasColours })) output.line(line)
  while (flowEnd(graph) === 'goes on' && !signal.aborted) {
    const startedMs = systemClock.steadyMs()
    const next = await read()
    for (const line of newsLines(graph, next, { colors: output.hasColours })) output.line(line)
    graph = next
    if (flowEnd(graph) !== 'goes on') break
    await delay(systemClock, Math.max(everyMs, (systemClock.steadyMs() - startedMs) * PAUSE_PER_READING), signal)
  }
  return graph
}
