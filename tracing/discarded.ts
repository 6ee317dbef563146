/** A dead letter that a person has given up: its handling stays failed, because that is what happened, and nobody need look at it again. */
import type { FlowHandling } from './flow-graph.ts'

/** Who gave it up, when and why. */
export interface Discarded {
  /** The operator's name, else the process in which it was done. */
  readonly by: string
  /** Epoch ms; null when unknown. */
  readonly atMs: number | null
  readonly reason: string
}

/** Undefined unless the last thing told of the handling is that its dead letter was discarded. */
export function discardedOf(handling: FlowHandling): Discarded | undefined {
  const { status, detail, instance, endedAtMs } = handling
  if (status !== 'failed' || detail['action'] !== 'discarded') return undefined
  return { by: detail['operator'] ?? instance, atMs: endedAtMs, reason: detail['reason'] ?? '' }
}

/** `discarded by ana at 2026-01-01T10:00:00Z: test data`. */
export function discardedText({ by, atMs, reason }: Discarded): string {
  const at = atMs === null ? '' : ` at ${new Date(atMs).toISOString().slice(0, 19)}Z`
  return `discarded by ${by}${at}${reason === '' ? '' : `: ${reason}`}`
}

/** Whether somebody should look at a handling: it has not ended, or it has failed and nobody has given it up. */
export function needsAttention(handling: FlowHandling): boolean {
  return handling.status !== 'completed' && discardedOf(handling) === undefined
}
