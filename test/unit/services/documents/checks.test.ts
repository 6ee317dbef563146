import { describe, expect, it } from 'vitest'
import { checkDocument } from '../../../../services/documents/checks/checks.ts'
import { parseDocument } from '../../../../services/documents/text/parse-document.ts'

const INVOICE = `# Invoice 7
Issued: 2026-03-02
Due date: 2026-04-01
## Items
- Pump: EUR 10.10
- Seal: EUR 0.20
- Subtotal: EUR 10.30
- Freight: EUR 4.00
- Total: EUR 14.30
## Payment
By transfer, within 30 days.`

function problems(text: string, kind: 'invoice' | 'report' | 'other' = 'invoice'): readonly string[] {
  return checkDocument({ documentId: '', kind, ...parseDocument({ format: 'markdown', text }) }).problems
}

describe('the checks', () => {
  it('find nothing in a correct invoice, to the cent', () => {
    expect(problems(INVOICE)).toEqual([])
  })

  it.each([
    ['a missing section', ['## Payment', '## Other'], 'the section "Payment" is missing'],
    ['a day that does not exist', ['2026-04-01', '31 April 2026'], 'no calendar has the date "31 April 2026"'],
    [
      'payment due before the invoice',
      ['2026-04-01', '2026-03-01'],
      'due on 2026-03-01, before it was issued on 2026-03-02',
    ],
    ['no total', ['Total:', 'All:'], 'no amount is called a total'],
    ['a wrong sum', ['14.30', '14.31'], 'the amounts of "Items" are EUR 14.30, their total says EUR 14.31'],
  ])('find %s', (_what, [from = '', to = ''], problem) => {
    expect(problems(INVOICE.replace(from, to))).toEqual([problem])
  })

  it('find everything at once', () => {
    expect(problems('# Invoice\nIssued: 31 April 2026')).toHaveLength(4)
  })

  it('ask of a report other sections, and of anything else only dates and sums', () => {
    expect(problems(INVOICE, 'report')).toEqual([
      'the section "Summary" is missing',
      'the section "Findings" is missing',
    ])
    expect(problems('Hello.', 'other')).toEqual([])
    expect(problems('Lamp: EUR 1\nTotal: EUR 2', 'other')).toHaveLength(1)
  })

  it('add up each currency by itself', () => {
    expect(problems('Lamp: EUR 1\nBulb: USD 7\nTotal: EUR 1', 'other')).toEqual([])
  })
})
