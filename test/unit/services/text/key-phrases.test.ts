import { describe, expect, it } from 'vitest'
import { keyPhrases } from '../../../../services/text/key-phrases.ts'

describe('keyPhrases', () => {
  it('finds runs of words between small words and punctuation, the repeated and longer ones first', () => {
    const phrases = keyPhrases(
      ['The feed pump failed in the frost.', 'A new feed pump was bought, and the frost ended.'],
      3,
    )
    expect(phrases).toEqual(['feed pump failed', 'new feed pump', 'frost ended'])
  })

  it('counts singular and plural as one and shows what was written first', () => {
    expect(keyPhrases(['Apple trees are here.', 'The apple tree is old.'], 1)).toEqual(['apple trees'])
  })

  it('takes no numbers, nothing too long, and no more than asked for', () => {
    expect(keyPhrases(['Of 12 in 2026.', 'green old tall wide strange houses'], 5)).toEqual([])
    expect(keyPhrases(['one, two, three'], 2)).toHaveLength(2)
  })
})
