import { describe, expect, it } from 'vitest'
import { findAmounts } from '../../../../services/documents/text/find-amounts.ts'
import { findDates } from '../../../../services/documents/text/find-dates.ts'
import { parseDocument } from '../../../../services/documents/text/parse-document.ts'
import { proseOf } from '../../../../services/documents/text/prose.ts'
import { splitSections } from '../../../../services/documents/text/split-sections.ts'

const outline = (text: string, format: 'plain' | 'markdown') =>
  splitSections(text, format).map(({ heading, level, text }) => [level, heading, text])

describe('sections', () => {
  it('of Markdown begin at headings, numbered by marks or underlined', () => {
    expect(outline('Before.\n# One #\ntext\n\n### Three\nTwo\n---\nmore', 'markdown')).toEqual([
      [0, '', 'Before.'],
      [1, 'One', 'text'],
      [3, 'Three', ''],
      [2, 'Two', 'more'],
    ])
  })

  it('of Markdown begin neither in code nor at a row of a table', () => {
    expect(outline('# A\n```\n# no heading\n```\n| x |\n---', 'markdown')).toEqual([
      [1, 'A', '```\n# no heading\n```\n| x |\n---'],
    ])
  })

  it('of plain text begin at the title, capitals, numbers and underlined lines', () => {
    expect(outline('Bridge report\n\nSUMMARY\ngood\n2.1 Costs of repair\nhigh\nEnd\n===\n', 'plain')).toEqual([
      [1, 'Bridge report', ''],
      [1, 'SUMMARY', 'good'],
      [2, 'Costs of repair', 'high'],
      [1, 'End', ''],
    ])
  })

  it('of plain text do not begin at sentences', () => {
    const text = 'It rained.\n\n3 Pumps failed, and two more were bought.\nA short line\nOK\n'
    expect(outline(text, 'plain')).toEqual([[0, '', text.trim()]])
  })
})

describe('dates', () => {
  it.each([
    ['Due date: 2026-03-31', 'Due date', '2026-03-31'],
    ['**Issued:** 1st March 2026', 'Issued', '2026-03-01'],
    ['signed on Feb. 3, 2024', 'signed on', '2024-02-03'],
    ['until 29 February 2024', 'until', '2024-02-29'],
    ['until 29 February 2026', 'until', null],
    ['until 2026-13-01', 'until', null],
  ])('%s', (line, label, date) => {
    expect(findDates(line)).toMatchObject([{ label, date }])
  })

  it('are found several on a line, in order', () => {
    expect(findDates('from March 3, 2026 to 2026-03-05').map(({ date }) => date)).toEqual(['2026-03-03', '2026-03-05'])
  })

  it.each(['03/04/2026', 'part 12026-03-011', 'version 2026-03-01-7', 'May 2026', '12 Maybe 2026'])(
    'are not seen in %s',
    (line) => {
      expect(findDates(line)).toEqual([])
    },
  )
})

describe('amounts', () => {
  it.each([
    ['Total: EUR 1,250.05', 'Total', 'EUR', 125_005],
    ['- 3 lamps: €12.5', '3 lamps', 'EUR', 1_250],
    ['| **Total** | | 99 USD |', 'Total', 'USD', 9_900],
    ['| | Fee | £1,000,000 |', 'Fee', 'GBP', 100_000_000],
    ['Refund CHF -7.10', 'Refund', 'CHF', -710],
  ])('%s', (line, label, currency, cents) => {
    expect(findAmounts(line)).toMatchObject([{ label, currency, cents }])
  })

  it.each(['1,250 pieces', 'EUR', 'EUR 1.250,00', 'room $x', 'EUROPE 7'])('are not seen in %s', (line) => {
    expect(findAmounts(line)).toEqual([])
  })
})

describe('a document', () => {
  it('has a title, and its dates and amounts know their section', () => {
    const text = '# Invoice of 1 May 2026\n\n## Items\n- Lamp: EUR 5\n\n## Payment\nDue: 2026-06-01'
    const { title, dates, amounts } = parseDocument({ format: 'markdown', text })
    expect(title).toBe('Invoice of 1 May 2026')
    expect(dates.map(({ date, section }) => [date, section])).toEqual([
      ['2026-05-01', 'Invoice of 1 May 2026'],
      ['2026-06-01', 'Payment'],
    ])
    expect(amounts).toEqual([{ text: 'EUR 5', currency: 'EUR', cents: 500, label: 'Lamp', section: 'Items' }])
  })

  it('without headings is called by its first line', () => {
    expect(parseDocument({ format: 'plain', text: '\n\nIt rained.\nAll day.' }).title).toBe('It rained.')
  })

  it('takes no longer to parse than it is long, whatever it holds', () => {
    const startedAt = performance.now()
    for (const piece of ['[', '#', '1.', '1,111', ' ', '-', '|', '*', 'EUR 1 ', '1 May 2026 ', '```\n~~~\n', '"']) {
      const text = piece.repeat(100_000 / piece.length)
      for (const format of ['plain', 'markdown'] as const) parseDocument({ format, text })
      proseOf(text)
    }
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  })
})

describe('prose', () => {
  it('is Markdown without its marks, tables and code', () => {
    const text =
      'See **the** [pump](http://x.example) and _this_ snake_case.\n\n- one\n- two\n\n| a | b |\n```\ncode\n```\n> said'
    expect(proseOf(text).replaceAll(/\n+/g, '\n')).toBe('See the pump and this snake_case.\none\ntwo\nsaid')
  })
})
