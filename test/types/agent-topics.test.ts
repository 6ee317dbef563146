/** An agent that speaks or hears the wrong thing does not compile, and the compiler's message says what is wrong. */
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'

interface Case {
  readonly what: string
  readonly consumes: string
  readonly produces: string
  readonly handle: string
  /** Absent: it compiles. */
  readonly error?: RegExp
}

const FRAUD_CHECKED = `{ applicationId: '', risk: 'low', signals: [] }`
const CASES: readonly Case[] = [
  {
    what: 'a correct agent',
    consumes: `'credit.application-received'`,
    produces: `['credit.fraud-checked']`,
    handle: `(event, { publish }) { if (event.fico > 0) publish('credit.fraud-checked', ${FRAUD_CHECKED}) }`,
  },
  {
    what: 'several topics',
    consumes: `['credit.fraud-checked', 'credit.score-calculated']`,
    produces: `[]`,
    handle: `(event, { log }) { if ('risk' in event) log.info(event.risk); else log.info(event.band) }`,
  },
  {
    what: 'a topic that does not exist',
    consumes: `'credit.aplication-received'`,
    produces: `['credit.fraud-checked']`,
    handle: `() {}`,
    error: /"credit\.aplication-received"' is not assignable to type 'Consumes'/,
  },
  {
    what: 'a field that the event does not have',
    consumes: `'credit.application-received'`,
    produces: `[]`,
    handle: `(event, { log }) { log.info(String(event.ficoScore)) }`,
    error: /Property 'ficoScore' does not exist on type 'CreditApplicationReceived'/,
  },
  {
    what: 'a published event without one of its fields',
    consumes: `'credit.application-received'`,
    produces: `['credit.fraud-checked']`,
    handle: `(_event, { publish }) { publish('credit.fraud-checked', { applicationId: '', risk: 'low' }) }`,
    error: /Property 'signals' is missing in type/,
  },
  {
    what: 'a published enum symbol that does not exist',
    consumes: `'credit.application-received'`,
    produces: `['credit.fraud-checked']`,
    handle: `(_event, { publish }) { publish('credit.fraud-checked', { applicationId: '', risk: 'huge', signals: [] }) }`,
    error: /"huge"' is not assignable to type 'CreditFraudRisk'/,
  },
  {
    what: 'a publish of a topic that is not in produces',
    consumes: `'credit.application-received'`,
    produces: `['credit.score-calculated']`,
    handle: `(_event, { publish }) { publish('credit.fraud-checked', ${FRAUD_CHECKED}) }`,
    error: /"credit\.fraud-checked"' is not assignable to parameter of type '"credit\.score-calculated"'/,
  },
  {
    what: 'a publish by an agent that produces nothing',
    consumes: `'credit.application-received'`,
    produces: `[]`,
    handle: `(_event, { publish }) { publish('credit.fraud-checked', ${FRAUD_CHECKED}) }`,
    error: /is not assignable to parameter of type 'never'/,
  },
  {
    what: 'a member that the join does not wait for',
    consumes: `{ all: ['credit.score-calculated', 'credit.income-verified'] }`,
    produces: `[]`,
    handle: `(events, { log }) { log.info(events['credit.fraud-checked'].risk) }`,
    error: /Property 'credit\.fraud-checked' does not exist on type/,
  },
  {
    what: "a field of the join's other member",
    consumes: `{ all: ['credit.score-calculated', 'credit.income-verified'] }`,
    produces: `[]`,
    handle: `(events, { log }) { log.info(String(events['credit.income-verified'].score)) }`,
    error: /Property 'score' does not exist on type 'CreditIncomeVerified'/,
  },
  {
    what: 'a publish outside one-of',
    consumes: `'credit.risk-assessed'`,
    produces: `{ oneOf: ['credit.decision-made', 'credit.review-requested'] }`,
    handle: `(_event, { publish }) { publish('credit.fraud-checked', ${FRAUD_CHECKED}) }`,
    error: /is not assignable to parameter of type '"credit\.decision-made" \| "credit\.review-requested"'/,
  },
]

function agentText({ consumes, produces, handle }: Case): string {
  return `import { defineAgent } from 'laban'
export default defineAgent({
  name: 'credit.probe', version: '1.0.0', consumes: ${consumes}, produces: ${produces},
  handle${handle},
})
`
}

describe('agents are checked against the contracts by the compiler', () => {
  const messages = compile(Object.fromEntries(CASES.map((testCase, index) => [`case-${index}`, agentText(testCase)])))

  it.each(CASES.map((testCase, index) => ({ ...testCase, index })))('$what', ({ index, error }) => {
    const found = messages[`case-${index}`]
    if (error === undefined) return expect(found).toEqual([])
    expect(found).toHaveLength(1)
    expect(found?.[0]).toMatch(error)
  })
})
