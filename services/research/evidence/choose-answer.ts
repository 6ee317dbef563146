/**
 * Chooses sentences that answer together: relevant, and each saying something that the others do not.
 * @source Carbonell and Goldstein, maximal marginal relevance (SIGIR 1998)
 */
import { termsOf } from '../../text/words.ts'
import type { Finding } from './find-evidence.ts'

/** What is less relevant than this share of the best only touches the question. */
const MIN_SHARE_OF_BEST = 1 / 3

/** At most so many of the findings, in the order of their sources and places; sources keep the order of the findings. */
export function chooseAnswer(findings: readonly Finding[], maxSentences: number): Finding[] {
  const floor = MIN_SHARE_OF_BEST * Math.max(0, ...findings.map(({ relevance }) => relevance))
  const candidates = findings
    .filter(({ relevance }) => relevance >= floor)
    .map((finding) => ({ finding, terms: new Set(termsOf(finding.sentence)) }))
  const chosen: typeof candidates = []
  while (chosen.length < maxSentences && candidates.length > 0) {
    const gains = candidates.map(({ finding, terms }) => {
      const repeated = Math.max(0, ...chosen.map((other) => overlap(terms, other.terms)))
      return finding.relevance - repeated
    })
    const best = gains.indexOf(Math.max(...gains))
    // What costs more by repetition than it adds by relevance ends the choice.
    if ((gains[best] ?? 0) <= 0) break
    chosen.push(...candidates.splice(best, 1))
  }
  const sources = [...new Set(findings.map(({ source }) => source))]
  return chosen
    .map(({ finding }) => finding)
    .toSorted(
      (left, right) => sources.indexOf(left.source) - sources.indexOf(right.source) || left.position - right.position,
    )
}

/** Jaccard similarity: shared terms by all terms. */
function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const shared = [...left].filter((term) => right.has(term)).length
  const all = left.size + right.size - shared
  return all === 0 ? 0 : shared / all
}
