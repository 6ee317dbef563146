/** Searches texts for the sentences that speak of a question. It quotes word for word and invents nothing. */
import type { EventOf } from 'laban'
import { splitSentences } from '../../text/sentences.ts'
import { termsOf } from '../../text/words.ts'

/** A text to search. */
export type SourceText = EventOf<'research.requested'>['sources'][number]
/** A sentence that speaks of the question. */
export type Finding = EventOf<'research.completed'>['findings'][number]

/** What was searched for and what was found, most relevant first. */
export interface Evidence {
  readonly terms: readonly string[]
  readonly missingTerms: readonly string[]
  readonly findings: readonly Finding[]
}

/** More sentences than these add nothing to an answer. */
const MAX_FINDINGS = 20

/** Finds the sentences that mention terms of the question. A term counts more the fewer sentences mention it. */
export function findEvidence(question: string, sources: readonly SourceText[]): Evidence {
  const terms = [...new Set(termsOf(question))]
  const mentions = sources.flatMap((source) => mentionsIn(source, terms))
  const weight = weighTerms(terms, mentions)
  const total = terms.reduce((sum, term) => sum + weight(term), 0)
  const findings = mentions
    .filter(({ terms }) => terms.length > 0)
    .map((mention) => ({ ...mention, relevance: mention.terms.reduce((sum, term) => sum + weight(term), 0) / total }))
    .toSorted((left, right) => right.relevance - left.relevance)
  const found = new Set(findings.flatMap(({ terms }) => terms))
  return { terms, missingTerms: terms.filter((term) => !found.has(term)), findings: findings.slice(0, MAX_FINDINGS) }
}

type Mention = Omit<Finding, 'relevance'>

/** Every sentence of a source with the terms that it mentions, none included. */
function mentionsIn({ name, text }: SourceText, terms: readonly string[]): Mention[] {
  return splitSentences(text).map((sentence, position) => {
    const said = new Set(termsOf(sentence))
    return { source: name, position, sentence, terms: terms.filter((term) => said.has(term)) }
  })
}

/** Inverse sentence frequency. */
function weighTerms(terms: readonly string[], mentions: readonly Mention[]): (term: string) => number {
  const weights = new Map(
    terms.map((term) => {
      const saying = mentions.filter((mention) => mention.terms.includes(term)).length
      return [term, Math.log(1 + mentions.length / Math.max(1, saying))]
    }),
  )
  return (term) => weights.get(term) ?? 0
}
