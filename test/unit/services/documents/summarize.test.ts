import { offload } from 'laban'
import { describe, expect, it } from 'vitest'
import { summarize } from '../../../../services/documents/text/summarize.ts'
import { longestStallMs } from '../../../harness/loop-stall.ts'

const inThread = offload<typeof import('../../../../services/documents/text/summarize.ts')>(
  new URL('../../../../services/documents/text/summarize.ts', import.meta.url),
)

/** Prose of so many sentences whose words repeat as words do: a few often, most rarely. The same each time. */
function longText(sentences: number): string {
  let state = 1
  const next = (limit: number): number => (state = (state * 48_271) % 2_147_483_647) % limit
  const word = (): string => `w${((next(2_000) * next(2_000)) / 2_000).toFixed(0)}`
  const sentence = (): string => `W${Array.from({ length: 14 }, word).join(' ')}.`
  return Array.from({ length: sentences }, sentence).join(' ')
}

describe('a summary', () => {
  const text = `The pump failed in the January frost. Frost broke the housing of the pump. A new pump was ordered at once.
    The order for the new pump went to Harbour Works. Somebody baked a cake.`

  it('is sentences of the text word for word, a fifth of them, the most important', () => {
    const { sentences, sentenceCount } = summarize({
      texts: [text, 'The pump runs again since the frost ended.'],
      maxSentences: 2,
    })
    expect(sentences).toEqual(['The pump failed in the January frost.'])
    expect(sentenceCount).toBe(6)
  })

  it('leaves out labels and fragments while there are statements', () => {
    expect(
      summarize({ texts: ['Total amount of this invoice: EUR 5\n\n', text], maxSentences: 9 }).sentences,
    ).not.toContain('Total amount of this invoice: EUR 5')
    expect(summarize({ texts: ['Only this'], maxSentences: 3 }).sentences).toEqual(['Only this'])
  })

  it('says nothing twice', () => {
    const { sentences } = summarize({ texts: Array.from({ length: 20 }, () => text), maxSentences: 7 })
    expect(new Set(sentences).size).toBe(sentences.length)
  })

  it('of nothing is nothing', () => {
    expect(summarize({ texts: ['', '| a | table |'], maxSentences: 7 })).toEqual({
      sentences: [],
      keyPhrases: [],
      sentenceCount: 0,
    })
  })

  it('is the same in a thread, and a long one does not hold up the event loop there', async () => {
    const request = { texts: [longText(2_500)], maxSentences: 7 }
    await inThread('summarize', { texts: [text], maxSentences: 1 })
    const summaries: unknown[] = []
    const inline = await longestStallMs(() => summaries.push(summarize(request)))
    const offloaded = await longestStallMs(async () => summaries.push(await inThread('summarize', request)))
    expect(summaries[0]).toEqual(summaries[1])
    expect(inline).toBeGreaterThan(150)
    expect(offloaded).toBeLessThan(inline / 2)
  })
})
