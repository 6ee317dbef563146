/** What the duration of a flow was spent on: from the handling that ended last, back along the input that came last. */
import type { Uuid } from '../contracts/ids.ts'
import type { FlowEvent, FlowHandling } from './flow-graph.ts'

/** Keys of the handlings on the way, the earliest first. */
export function criticalPathOf(
  events: ReadonlyMap<Uuid, FlowEvent>,
  handlings: readonly FlowHandling[],
): readonly string[] {
  const byKey = new Map(handlings.map((handling) => [handling.key, handling]))
  const path = new Set<string>()
  let current = lastToEnd(handlings)
  // Garbage may claim a cycle; a handling is visited once.
  while (current !== undefined && !path.has(current.key)) {
    path.add(current.key)
    const last = lastRecorded(current.inputs.flatMap((id) => events.get(id) ?? []))
    current = byKey.get(last?.publishedBy ?? '')
  }
  return [...path].reverse()
}

function lastToEnd(handlings: readonly FlowHandling[]): FlowHandling | undefined {
  let last: FlowHandling | undefined
  for (const handling of handlings) {
    if (handling.endedAtMs !== null && (last === undefined || handling.endedAtMs >= (last.endedAtMs ?? 0)))
      last = handling
  }
  return last
}

function lastRecorded(inputs: readonly FlowEvent[]): FlowEvent | undefined {
  let last: FlowEvent | undefined
  for (const event of inputs) {
    if (last === undefined || (event.recordedAtMs ?? 0) >= (last.recordedAtMs ?? 0)) last = event
  }
  return last
}
