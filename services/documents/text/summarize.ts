/** Sums up a text in its own most important sentences. Heavy for long texts, pure, and of plain data: made to run in a thread. */
import { keyPhrases } from '../../text/key-phrases.ts'
import { rankSentences } from '../../text/rank-sentences.ts'
import { splitSentences } from '../../text/sentences.ts'
import { termsOf } from '../../text/words.ts'
import { proseOf } from './prose.ts'

/** A text and how short its summary must be. */
export interface SummaryRequest {
  readonly texts: readonly string[]
  readonly maxSentences: number
}

/** Sentences word for word in the order of the text; empty when the text has none. */
export interface Summary {
  readonly sentences: readonly string[]
  readonly keyPhrases: readonly string[]
  /** Of the whole text. */
  readonly sentenceCount: number
}

/** What ends otherwise is a label or a fragment: `Due date: 1 April` */
const STATEMENT = /[.!?…]["'”’)\]]*$/
/** Fewer terms say too little to stand alone. */
const MIN_TERMS = 4

/** Picks about a fifth of the sentences, one at least and `maxSentences` at most. Sentences said twice are taken once. */
export function summarize({ texts, maxSentences }: SummaryRequest): Summary {
  const all = texts.flatMap((text) => splitSentences(proseOf(text)))
  const said = [...new Set(all)].map((sentence) => ({ sentence, terms: termsOf(sentence) }))
  const telling = said.filter(({ sentence, terms }) => terms.length >= MIN_TERMS && STATEMENT.test(sentence))
  const candidates = telling.length > 0 ? telling : said
  const ranks = rankSentences(candidates.map(({ terms }) => terms))
  const wanted = Math.min(maxSentences, Math.max(1, Math.ceil(candidates.length / 5)))
  const chosen = new Set(
    candidates
      .map((_, index) => index)
      .toSorted((left, right) => (ranks[right] ?? 0) - (ranks[left] ?? 0))
      .slice(0, wanted),
  )
  return {
    sentences: candidates.filter((_, index) => chosen.has(index)).map(({ sentence }) => sentence),
    keyPhrases: keyPhrases(
      candidates.map(({ sentence }) => sentence),
      6,
    ),
    sentenceCount: all.length,
  }
}
