/** How far findings can be trusted to answer a question: computed from what was found, never from what was hoped for. */
import type { Evidence } from './find-evidence.ts'

/**
 * 0 to 1: coverage times support.
 * Coverage is the share of the question's terms that the findings mention. A finding supports when it mentions at least half of
 * the terms; each source's first such sentence counts 1 and every further one 1/2, because a source that repeats itself is no
 * second witness. Support is 1 - 2^-count: 0.5, 0.75, 0.875 for one, two, three sources.
 */
export function confidenceOf({ terms, missingTerms, findings }: Evidence): number {
  if (terms.length === 0) return 0
  const supporting = findings.filter((finding) => finding.terms.length >= terms.length / 2)
  const sources = new Set(supporting.map(({ source }) => source)).size
  const count = sources + (supporting.length - sources) / 2
  return (1 - missingTerms.length / terms.length) * (1 - 2 ** -count)
}
