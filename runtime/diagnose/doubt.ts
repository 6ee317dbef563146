/** Verdicts that are looked at twice before they are said: they may be the trace of a step that was just being made. */
import type { VerdictCode } from '../../contracts/verdict-table.ts'
import { rootOf, rootsOf, standsStill, type Diagnosis, type Verdict } from '../../tracing/diagnose/verdict.ts'

const MOMENTARY: ReadonlySet<VerdictCode> = new Set<VerdictCode>([
  'group-stuck',
  'group-rebalancing',
  'group-empty',
  'lease-expired',
  'store-rebuilding',
  'waiting-for-join',
  'published-nothing',
  'chose-otherwise',
  'no-producer',
  'event-lost',
  'slow',
])

/** Whether a verdict may hold for a moment only. */
export function isMomentary({ code }: Verdict): boolean {
  return MOMENTARY.has(code)
}

/** Whether a diagnosis is to be made once more before it is believed. */
export function isDoubtful({ verdict }: Diagnosis): boolean {
  return rootsOf(verdict).some(isMomentary) && standsStill(rootOf(verdict))
}
