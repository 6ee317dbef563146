import { describe, expect, it } from 'vitest'
import { splitSentences } from '../../../../services/text/sentences.ts'

describe('splitSentences', () => {
  it.each([
    ['two plain ones', 'It rained. The river rose.', ['It rained.', 'The river rose.']],
    ['other end marks', 'Why? Because! Well… Yes.', ['Why?', 'Because!', 'Well…', 'Yes.']],
    ['a quotation that ends with its sentence', 'She said “go.” He went.', ['She said “go.”', 'He went.']],
    ['titles and initials', 'Dr. Lee met J. Doe. They spoke.', ['Dr. Lee met J. Doe.', 'They spoke.']],
    ['abbreviations', 'Use tools, e.g. A hammer. Rest.', ['Use tools, e.g. A hammer.', 'Rest.']],
    ['a number after No.', 'See No. 7 first. Then fig. 2 too.', ['See No. 7 first.', 'Then fig. 2 too.']],
    ['a plain no', 'I say no. It rains.', ['I say no.', 'It rains.']],
    ['decimals and prices', 'It costs 3.50 a day. Cheap.', ['It costs 3.50 a day.', 'Cheap.']],
    ['what goes on in lower case', 'It stopped. and went on.', ['It stopped. and went on.']],
    ['lines of one paragraph', 'It rained\nall  day. Then\r\nit stopped.', ['It rained all day.', 'Then it stopped.']],
    ['paragraphs without end marks', 'A title\n\nA line', ['A title', 'A line']],
    ['nothing', ' \n \n', []],
  ])('keeps apart and together: %s', (_what, text, sentences) => {
    expect(splitSentences(text)).toEqual(sentences)
  })

  it('takes no longer than the text is long', () => {
    const startedAt = performance.now()
    splitSentences('.'.repeat(200_000))
    splitSentences(`${'"'.repeat(200_000)}. A`)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})
