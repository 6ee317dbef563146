import type { EventOf } from 'laban'
import { choreography } from 'laban/testing'
import { describe, expect, it } from 'vitest'
import summarizer from '../../../../services/documents/summarizer.ts'
import { summarize } from '../../../../services/documents/text/summarize.ts'
import { longestStallMs } from '../../../harness/loop-stall.ts'

function documentOf(text: string): EventOf<'document.parsed'> {
  const sections = [{ heading: '', level: 0, text }]
  return { documentId: '', kind: 'other', title: 'A text', sections, dates: [], amounts: [] }
}

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

  it('of a long document does not hold up the event loop of its agent, and is the same', async () => {
    await using agent = await choreography([summarizer], { timeoutMs: 12_000 })
    await agent.given('document.parsed', documentOf(text))
    const long = longText(6_000)
    const inline = await longestStallMs(() => summarize({ texts: [long], maxSentences: 7 }))
    const offloaded = await longestStallMs(() => agent.when('document.parsed', documentOf(long)))
    expect(inline).toBeGreaterThan(150)
    expect(offloaded).toBeLessThan(inline / 2)
    const [{ documentId: _, ...summary } = { documentId: '' }] = agent.published('document.summarized')
    expect(summary).toEqual(summarize({ texts: [long], maxSentences: 7 }))
  })
})
