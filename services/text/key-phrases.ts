/**
 * RAKE: a key phrase is a run of words between small words and punctuation; words that keep company with many others make a
 * phrase telling.
 * @source Rose, Engel, Cramer and Cowley, Automatic Keyword Extraction (Text Mining, 2010)
 */
import { isSmallWord, singular, wordsOf } from './words.ts'

const MAX_WORDS = 3

interface Phrase {
  readonly text: string
  readonly terms: readonly string[]
  count: number
}

/** The most telling phrases of some sentences, at most so many, as they were first written, in lower case. Ties keep the order of the text. */
export function keyPhrases(sentences: readonly string[], maxPhrases: number): string[] {
  const phrases = collectPhrases(sentences)
  const weights = weighWords(phrases)
  // A phrase that is repeated is what the text is about; one long phrase said once is not.
  const score = ({ terms, count }: Phrase): number =>
    count * terms.reduce((sum, term) => sum + (weights.get(term) ?? 0), 0)
  return phrases
    .toSorted((left, right) => score(right) - score(left))
    .slice(0, maxPhrases)
    .map(({ text }) => text)
}

function collectPhrases(sentences: readonly string[]): Phrase[] {
  const phrases = new Map<string, Phrase>()
  for (const words of sentences.flatMap(runsOfWords)) {
    const terms = words.map(singular)
    const known = phrases.get(terms.join(' '))
    if (known === undefined) phrases.set(terms.join(' '), { text: words.join(' '), terms, count: 1 })
    else known.count++
  }
  return [...phrases.values()]
}

/** Runs of at most three words that are neither small nor numbers. */
function runsOfWords(sentence: string): string[][] {
  const runs: string[][] = []
  for (const part of sentence.split(/[^\p{L}\p{N}\s'’-]+|\s-+\s/u)) {
    let run: string[] = []
    for (const word of wordsOf(part)) {
      if (isSmallWord(word) || /^[\d-]+$/.test(word)) {
        runs.push(run)
        run = []
      } else run.push(word)
    }
    runs.push(run)
  }
  return runs.filter(({ length }) => length > 0 && length <= MAX_WORDS)
}

/** Degree by frequency: how many words a word stands with, itself included, each time it is said. */
function weighWords(phrases: readonly Phrase[]): Map<string, number> {
  const counts = new Map<string, { frequency: number; degree: number }>()
  for (const { terms, count } of phrases) {
    for (const term of terms) {
      const { frequency, degree } = counts.get(term) ?? { frequency: 0, degree: 0 }
      counts.set(term, { frequency: frequency + count, degree: degree + count * terms.length })
    }
  }
  return new Map([...counts].map(([term, { frequency, degree }]) => [term, degree / frequency]))
}
