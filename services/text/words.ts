/** Words of English prose as the text methods count them: lower case, plural and singular as one, small words left out. */

const WORD = /[\p{L}\p{N}]+(?:[-'’][\p{L}\p{N}]+)*/gu

/** Words that carry grammar rather than a subject. */
const SMALL_WORDS = new Set(
  `a about above after again against all also although always am among an and another any are as at be because become been
  before being below between both but by can cannot could did do does doing done down during each either else ever every few
  for from further get gets had has have having he her here hers him his how however i if in into is it its itself just least
  less let many may me might more most much must my near need neither never no nor not now of off often on once one only or
  other our ours out over own per rather same she should since so some still such than that the their theirs them then there
  these they this those though through thus to too toward under until up upon us use used very via was we well were what when
  where whether which while who whom whose why will with within without would yet you your yours`.split(/\s+/),
)

/** All words in order, lower case, without a possessive ending. */
export function wordsOf(text: string): string[] {
  return Array.from(text.toLowerCase().matchAll(WORD), ([word]) => word.replace(/['’]s$/, ''))
}

/** True for words such as `the`, `because` and `which`. Expects lower case. */
export function isSmallWord(word: string): boolean {
  return SMALL_WORDS.has(word)
}

/**
 * The singular of an English plural by the three rules of Harman's S-stemmer, which errs little and never mixes two subjects.
 * @source D. Harman, How effective is suffixing? JASIS 42 (1991)
 */
export function singular(word: string): string {
  if (/[^ae]ies$/.test(word)) return `${word.slice(0, -3)}y`
  if (/[^aeo]es$/.test(word)) return word.slice(0, -1)
  return /[^us]s$/.test(word) && word.length > 2 ? word.slice(0, -1) : word
}

/** What a text speaks of: its words without the small ones, in the singular, in order, repeated as they are. */
export function termsOf(text: string): string[] {
  return wordsOf(text)
    .filter((word) => !isSmallWord(word))
    .map(singular)
}
