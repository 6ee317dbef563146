/** Cuts prose into sentences. The same text gives the same sentences on every machine: no locale data takes part. */

/** After these a period ends no sentence. Lower case, without the period. */
const ABBREVIATIONS = new Set('dr mr mrs ms prof st jr sr vs e.g i.e cf approx ed eds ca al ltd co corp'.split(' '))
/** After these it ends none when a number follows: `No. 7`, but `I say no. It rains.` */
const BEFORE_NUMBERS = new Set('no nos fig figs vol p pp art sec'.split(' '))
/** An end mark with closing quotes or brackets, then space, then what may begin a sentence. */
const BOUNDARY = /[.!?…]{1,3}["'”’)\]]{0,3} (?=["'“‘([]?[\p{Lu}\p{N}])/gu
const LAST_WORD = /[\p{L}.]+$/u
const INITIAL = /^\p{Lu}$/u

/**
 * The sentences of a text in order, white space normalised. An empty line always ends one; a period does not after an
 * abbreviation or an initial. Expects scripts that write capitals.
 * @example splitSentences('Dr. Lee waited. It rained.') // ['Dr. Lee waited.', 'It rained.']
 */
export function splitSentences(text: string): string[] {
  return text.split(/\r?\n[^\S\n]*\r?\n/).flatMap(splitParagraph)
}

function splitParagraph(paragraph: string): string[] {
  const prose = paragraph.replaceAll(/\s+/g, ' ').trim()
  const sentences: string[] = []
  let start = 0
  for (const { 0: mark, index } of prose.matchAll(BOUNDARY)) {
    const next = prose.charAt(index + mark.length)
    if (mark.startsWith('.') && isAbbreviated(prose.slice(start, index), next)) continue
    sentences.push(prose.slice(start, index + mark.length).trim())
    start = index + mark.length
  }
  const rest = prose.slice(start)
  return rest === '' ? sentences : [...sentences, rest]
}

function isAbbreviated(text: string, next: string): boolean {
  const [word = ''] = LAST_WORD.exec(text.slice(-12)) ?? []
  const known = word.toLowerCase()
  return INITIAL.test(word) || ABBREVIATIONS.has(known) || (/\d/.test(next) && BEFORE_NUMBERS.has(known))
}
