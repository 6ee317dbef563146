/**
 * TextRank: a sentence is important when important sentences say similar things. Needs no training and no dictionary; costs grow
 * with the square of the sentences, so long texts belong in a thread.
 * @source Mihalcea and Tarau, TextRank (EMNLP 2004); similarity as in LexRank, Erkan and Radev (JAIR 22, 2004)
 */

const DAMPING = 0.85
const MAX_ROUNDS = 100
const TOLERANCE = 1e-6
/** Sentences that share less than this say different things. */
const MIN_SIMILARITY = 0.1

/** The similar sentences of each sentence, with the share of its weight that goes to each. */
interface Links {
  readonly to: readonly number[]
  readonly share: readonly number[]
}

/** Importance of each sentence, given as terms; 1 for the most important. Equal input gives equal numbers. */
export function rankSentences(sentences: readonly (readonly string[])[]): number[] {
  const links = linkSimilar(weighTerms(sentences))
  let ranks = new Float64Array(links.length).fill(1)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = new Float64Array(links.length).fill(1 - DAMPING)
    links.forEach(({ to, share }, from) => {
      const given = DAMPING * (ranks[from] ?? 0)
      to.forEach((target, index) => (next[target] = (next[target] ?? 0) + given * (share[index] ?? 0)))
    })
    const change = next.reduce((largest, rank, index) => Math.max(largest, Math.abs(rank - (ranks[index] ?? 0))), 0)
    ranks = next
    if (change < TOLERANCE) break
  }
  const highest = ranks.reduce((largest, rank) => Math.max(largest, rank), 0)
  return Array.from(ranks, (rank) => rank / highest)
}

/** TF-IDF vectors of length 1: how often a sentence says a term, and how rare the term is elsewhere. */
function weighTerms(sentences: readonly (readonly string[])[]): ReadonlyMap<string, number>[] {
  const counts = sentences.map(countTerms)
  const sentencesWith = new Map<string, number>()
  for (const terms of counts) {
    for (const term of terms.keys()) sentencesWith.set(term, (sentencesWith.get(term) ?? 0) + 1)
  }
  return counts.map((terms) => {
    const weights = [...terms].map(([term, count]): [string, number] => [
      term,
      count * Math.log(1 + sentences.length / (sentencesWith.get(term) ?? 1)),
    ])
    const length = Math.sqrt(weights.reduce((sum, [, weight]) => sum + weight * weight, 0))
    return new Map(weights.map(([term, weight]) => [term, weight / length]))
  })
}

function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  return counts
}

/** Links every two sentences whose cosine is high enough, found through the terms that they share. */
function linkSimilar(vectors: readonly ReadonlyMap<string, number>[]): Links[] {
  const sayers = new Map<string, { sentence: number; weight: number }[]>()
  vectors.forEach((vector, sentence) => {
    for (const [term, weight] of vector) {
      const said = sayers.get(term)
      if (said === undefined) sayers.set(term, [{ sentence, weight }])
      else said.push({ sentence, weight })
    }
  })
  const cosines = new Float64Array(vectors.length)
  return vectors.map((vector, sentence) => {
    cosines.fill(0)
    for (const [term, weight] of vector) {
      for (const other of sayers.get(term) ?? [])
        cosines[other.sentence] = (cosines[other.sentence] ?? 0) + weight * other.weight
    }
    return linksOf(sentence, cosines)
  })
}

function linksOf(sentence: number, cosines: Float64Array): Links {
  const to: number[] = []
  let total = 0
  cosines.forEach((cosine, other) => {
    if (other === sentence || cosine < MIN_SIMILARITY) return
    to.push(other)
    total += cosine
  })
  return { to, share: to.map((other) => (cosines[other] ?? 0) / total) }
}
