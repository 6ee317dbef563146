/** What the duration of a flow was spent on: from the handling that ended last, back along the input that came last. */
import { recordedAt } from './event-drafts.ts'
import type { EventDraft, HandlingDraft } from './flow-drafts.ts'

/** Keys of the handlings on the way, the earliest first. Takes resolved handlings in causal order. */
export function criticalPathOf(handlings: readonly HandlingDraft[]): readonly string[] {
  const path = new Set<HandlingDraft>()
  let current = lastToEnd(handlings)
  // Garbage may claim a cycle; a handling is visited once.
  while (current !== null && !path.has(current)) {
    path.add(current)
    current = lastRecorded(current.inputs)?.publishedBy ?? null
  }
  return [...path].reverse().map(({ key }) => key)
}

function lastToEnd(handlings: readonly HandlingDraft[]): HandlingDraft | null {
  let last: HandlingDraft | null = null
  let lastMs = -Infinity
  for (const handling of handlings) {
    const endedAtMs = handling.resolved?.endedAtMs ?? null
    if (endedAtMs === null || (last !== null && endedAtMs < lastMs)) continue
    last = handling
    lastMs = endedAtMs
  }
  return last
}

function lastRecorded(inputs: readonly EventDraft[]): EventDraft | undefined {
  let last: EventDraft | undefined
  let lastMs = -Infinity
  for (const event of inputs) {
    const atMs = recordedAt(event) ?? 0
    if (last !== undefined && atMs < lastMs) continue
    last = event
    lastMs = atMs
  }
  return last
}
