import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CreditApplicationReceived } from '../../../../contracts/generated/events.ts'
import { APPLICATION } from './application.ts'
import { CreditFlow, type Said } from './choreography.ts'

async function decide(changes: Partial<CreditApplicationReceived> = {}): Promise<Said> {
  const flow = new CreditFlow()
  flow.say('credit.application-received', { ...APPLICATION, ...changes })
  await flow.run()
  expect(flow.results).toHaveLength(1)
  return flow.results[0] as Said
}

describe('credit agents', () => {
  it('approve a sound application', async () => {
    expect(await decide()).toMatchObject({
      topic: 'credit.decision-made',
      value: { applicationId: 'A-1', outcome: 'approved', score: 734, reasons: [] },
    })
  })

  it.each([
    ['outside the credit policy', { meetsCreditPolicy: false }],
    ['the instalment does not fit the income', { monthlyInstallment: 1_500 }],
    ['probability of default above 40 %', { fico: 640, delinquencies2Years: 2, publicRecords: 1 }],
  ])('decline what is %s', async (reason, changes) => {
    const result = await decide(changes)
    expect(result).toMatchObject({ topic: 'credit.decision-made', value: { outcome: 'declined' } })
    expect((result.value as { reasons: string[] }).reasons).toContain(reason)
  })

  it.each([
    ['ten or more inquiries within six months', { inquiriesLast6Months: 12, fico: 800 }],
    ['credit lines overdrawn', { revolvingUtilization: 101 }],
    ['revolving balance above twice the annual income', { revolvingBalance: 130_000 }],
    ['credit history of less than a year', { creditLineDays: 200 }],
    ['probability of default between 30 % and 40 %', { fico: 630 }],
  ])('ask a person about %s', async (reason, changes) => {
    expect(await decide(changes)).toMatchObject({ topic: 'credit.review-requested', value: { reasons: [reason] } })
  })

  it('end every flow with one result, the same in any order of events', async () => {
    const inOrder = await decide()
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), async (numbers) => {
        const flow = new CreditFlow()
        flow.say('credit.application-received', APPLICATION)
        await flow.run((count) => (numbers.next().value as number) % count)
        expect(flow.results).toEqual([inOrder])
      }),
      { numRuns: 50 },
    )
  })

  it('decide by the score of their own event, however two flows of one applicant interleave', async () => {
    // With a shared cache of scores the second write (744) would be read while the first flow (674) is decided, or the reverse.
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 20 }), async (turns) => {
        const [before, after] = [new CreditFlow(), new CreditFlow()]
        before.say('credit.application-received', { ...APPLICATION, fico: 680 })
        after.say('credit.application-received', { ...APPLICATION, fico: 750 })
        for (const turn of turns) await (turn ? before : after).hear()
        await after.run()
        await before.run()
        expect([before, after].map(({ results }) => (results[0]?.value as { score: number }).score)).toEqual([674, 744])
      }),
      { numRuns: 50 },
    )
  })
})

describe('the sample applications', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../services/credit/sample/applications.csv'), 'utf8')
  const rows = (parse(text, { columns: true }) as unknown as Record<string, string>[]).map(applicationOf)

  it('fit their contract and end in a mix of outcomes', async () => {
    const ends = await Promise.all(rows.map((row) => decide(row)))
    const count = (outcome: string): number => {
      return ends.filter(({ topic, value }) => outcome === ((value as { outcome?: string }).outcome ?? topic)).length
    }
    expect(rows).toHaveLength(40)
    expect(new Set(rows.map(({ applicationId }) => applicationId)).size).toBe(40)
    expect(count('approved')).toBeGreaterThan(15)
    expect(count('declined')).toBeGreaterThan(3)
    expect(count('credit.review-requested')).toBeGreaterThan(3)
  })
})

function applicationOf(row: Readonly<Record<string, string>>): CreditApplicationReceived {
  const { applicationId = '', purpose, meetsCreditPolicy, ...numbers } = row
  const values = Object.fromEntries(Object.entries(numbers).map(([field, text]) => [field, Number(text)]))
  return {
    ...values,
    applicationId,
    purpose,
    meetsCreditPolicy: meetsCreditPolicy === 'true',
  } as CreditApplicationReceived
}
