import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rankSentences } from '../../../../services/text/rank-sentences.ts'

const rank = (...sentences: string[]): number[] => rankSentences(sentences.map((text) => text.split(' ')))

describe('rankSentences', () => {
  it('puts the sentence first that has most in common with the others', () => {
    const ranks = rank('pump water plant', 'pump water', 'plant water repair', 'moon cheese')
    expect(ranks[0]).toBe(1)
    expect(ranks[3]).toBe(Math.min(...ranks))
  })

  it('gives equal sentences equal ranks, and the same numbers each time', () => {
    const ranks = rank('pump water', 'pump water', 'moon cheese')
    expect(ranks[0]).toBe(ranks[1])
    expect(rank('pump water', 'pump water', 'moon cheese')).toEqual(ranks)
  })

  it('ranks nothing, one, and sentences without terms', () => {
    expect(rankSentences([])).toEqual([])
    expect(rank('alone')).toEqual([1])
    expect(rankSentences([[], []])).toEqual([1, 1])
  })

  it('agrees with the fixed point of its own equation', () => {
    // Two similar sentences and a third that neither knows: r = 0.15 + 0.85 r = 1 for the pair, 0.15 for the third.
    expect(rank('a b', 'a b', 'c d')[2]).toBeCloseTo(0.15, 5)
  })

  it('does not depend on the order of the sentences', () => {
    const sentence = fc.array(fc.constantFrom(...'abcdefgh'), { maxLength: 6 })
    fc.assert(
      fc.property(fc.array(sentence, { minLength: 1, maxLength: 12 }), (sentences) => {
        const ranks = rankSentences(sentences)
        const reversed = rankSentences(sentences.toReversed()).toReversed()
        ranks.forEach((value, index) => expect(reversed[index]).toBeCloseTo(value, 4))
      }),
      { numRuns: 200 },
    )
  })
})
