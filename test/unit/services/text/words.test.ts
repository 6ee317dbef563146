import { describe, expect, it } from 'vitest'
import { singular, termsOf, wordsOf } from '../../../../services/text/words.ts'

describe('words', () => {
  it('are lower case, with their hyphens and without possessive endings', () => {
    expect(wordsOf("The valley's well-kept pumps, 12 of them; naïve?")).toEqual([
      'the',
      'valley',
      'well-kept',
      'pumps',
      '12',
      'of',
      'them',
      'naïve',
    ])
  })

  it.each([
    ['pumps', 'pump'],
    ['supplies', 'supply'],
    ['prices', 'price'],
    ['glass', 'glass'],
    ['virus', 'virus'],
    ['trees', 'tree'],
    ['is', 'is'],
  ])('%s is counted as %s', (word, expected) => {
    expect(singular(word)).toBe(expected)
  })

  it('are terms when they carry a subject', () => {
    expect(termsOf('How much water do the pumps of the plants use?')).toEqual(['water', 'pump', 'plant'])
  })
})
