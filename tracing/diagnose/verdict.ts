/** What a diagnosis answers: verdicts with their evidence and causes. Plain data; the JSON of `laban why` is exactly this. */
import type { Uuid } from '../../contracts/ids.ts'
import { VERDICTS, type Standing, type VerdictCode } from '../../contracts/verdict-table.ts'

/** Version of the JSON form; it grows when a field changes its meaning, not when one is added. */
export const DIAGNOSIS_FORMAT_VERSION = 1

/** What a verdict is about; fields that do not apply are absent. */
export interface VerdictSubject {
  readonly flowId?: Uuid
  readonly eventId?: Uuid
  readonly agent?: string
  readonly topic?: string
}

/** One thing that was seen. */
export interface Evidence {
  readonly name: string
  readonly value: string
  /** Where it was seen, for example `group credit.fraud` or `laban.agents`. */
  readonly seenIn: string
}

/** Why something is as it is. */
export interface Verdict {
  readonly code: VerdictCode
  readonly standing: Standing
  readonly subject: VerdictSubject
  /** One sentence for people, with names and numbers, without a full stop. */
  readonly sentence: string
  readonly evidence: readonly Evidence[]
  /** The command to run next; null when nothing is to be done. */
  readonly next: string | null
  /** What brought it about, down to the roots; empty for a root. */
  readonly causes: readonly Verdict[]
  /** Since when, epoch ms; null when unknown. */
  readonly sinceMs: number | null
}

/** What is the matter with one flow. */
export interface Diagnosis {
  readonly formatVersion: number
  /** Null when nothing was found. */
  readonly flowId: Uuid | null
  /** When it was looked, epoch ms. */
  readonly asOfMs: number
  readonly verdict: Verdict
  /** Others of the same flow that do not come from the same root, the weightiest first. */
  readonly also: readonly Verdict[]
  /** What could not be looked at, one sentence each. */
  readonly unseen: readonly string[]
}

/** Parts of a verdict with what goes without saying left out. */
export type VerdictParts = Pick<Verdict, 'code' | 'subject' | 'sentence'> & Partial<Verdict>

/** A verdict. */
export function verdictOf(parts: VerdictParts): Verdict {
  const standing = VERDICTS[parts.code].standing
  return { standing, evidence: [], next: null, causes: [], sinceMs: null, ...parts }
}

/**
 * The verdicts at the ends of the chains of causes, the weightiest first; of a verdict without causes, itself. What stands although all
 * its causes move is a root, too: something is late whose handler runs.
 */
export function rootsOf(verdict: Verdict): readonly Verdict[] {
  const isRoot = standsStill(verdict) && !verdict.causes.some((cause) => rootsOf(cause).some(standsStill))
  if (verdict.causes.length === 0 || isRoot) return [verdict]
  const roots = new Map(verdict.causes.flatMap(rootsOf).map((root) => [nameOf(root), root]))
  return [...roots.values()].sort(byWeight)
}

/** The one root that is told first. */
export function rootOf(verdict: Verdict): Verdict {
  return rootsOf(verdict)[0] ?? verdict
}

/** Two verdicts with the same name say the same of the same thing. */
export function nameOf({ code, subject }: Verdict): string {
  const { flowId = '', eventId = '', agent = '', topic = '' } = subject
  return [code, flowId, eventId, agent, topic].join(' ')
}

const WEIGHTS = new Map(Object.keys(VERDICTS).map((code, index) => [code, index]))

/** True for verdicts that something is to be done about, or waited for. */
export function standsStill({ standing }: Verdict): boolean {
  return standing === 'stands'
}

/** The weightiest first; of equal ones the older. */
export function byWeight(a: Verdict, b: Verdict): number {
  const weight = (WEIGHTS.get(a.code) ?? 0) - (WEIGHTS.get(b.code) ?? 0)
  return weight !== 0 ? weight : (a.sinceMs ?? Infinity) - (b.sinceMs ?? Infinity)
}
