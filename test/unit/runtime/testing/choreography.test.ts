import { describe, expect, it } from 'vitest'
import { loadContracts } from '../../../../contracts/contract-set.ts'
import { defineAgent } from '../../../../runtime/agent.ts'
import { terminal } from '../../../../runtime/outcomes.ts'
import { choreography } from '../../../../runtime/testing/index.ts'
import creditScore from '../../../../services/credit/credit-score.ts'
import finalApproval from '../../../../services/credit/final-approval.ts'
import fraudDetection from '../../../../services/credit/fraud-detection.ts'
import incomeVerification from '../../../../services/credit/income-verification.ts'
import riskAssessment from '../../../../services/credit/risk-assessment.ts'
import { APPLICATION } from '../../services/credit/application.ts'

const CREDIT = [creditScore, incomeVerification, fraudDetection, riskAssessment, finalApproval]
const VERIFIED = {
  applicationId: 'A-1',
  annualIncome: 60_000,
  paymentToIncome: 0.06,
  debtToIncome: 0.18,
  affordability: 'comfortable',
} as const

/** Fails so many times before it succeeds. */
const flaky = (failures: number, error = new Error('not now')) => {
  let left = failures
  return defineAgent({
    name: 'test.flaky',
    version: '1.0.0',
    consumes: 'credit.application-received',
    produces: ['credit.income-verified'],
    retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
    handle(_event, { publish }) {
      if (left-- > 0) throw error
      publish('credit.income-verified', VERIFIED)
    },
  })
}

describe('choreography', () => {
  it('tells what one agent says to one event', async () => {
    await using credit = await choreography([incomeVerification])
    await credit.when('credit.application-received', APPLICATION)
    expect(credit.published('credit.income-verified')).toMatchObject([{ annualIncome: 60_000 }])
    expect(credit.published('credit.score-calculated')).toEqual([])
    expect(credit.deadLetters).toEqual([])
  })

  it('runs steps and effects once, also when their handler is tried again', async () => {
    const runs: string[] = []
    const paying = defineAgent({
      name: 'test.paying',
      version: '1.0.0',
      consumes: 'credit.application-received',
      produces: ['credit.income-verified'],
      async handle(_event, { step, effect, publish, attempt }) {
        await step('look', () => runs.push('look'), { durable: true })
        await effect('charge', (key) => runs.push(key))
        if (attempt === 1) throw new Error('not now')
        publish('credit.income-verified', VERIFIED)
      },
    })
    await using credit = await choreography([paying])
    await credit.when('credit.application-received', APPLICATION)
    expect(credit.published('credit.income-verified')).toEqual([VERIFIED])
    expect(runs).toEqual(['look', expect.stringMatching(/^[0-9a-f-]{36}$/)])
    expect(credit.drawing()).toContain('step charge: ')
  })

  it('rests only when all agents have finished what follows', async () => {
    await using credit = await choreography(CREDIT)
    await credit.when('credit.application-received', APPLICATION)
    expect(credit.published('credit.decision-made')).toMatchObject([{ applicationId: 'A-1', outcome: 'approved' }])
    const { status, completeness } = credit.flow()
    expect({ status, complete: completeness.complete }, credit.drawing()).toEqual({
      status: 'completed',
      complete: true,
    })
    expect(completeness).toMatchObject({ reactionsExpected: 7, reactionsEnded: 7, events: 6, unaccounted: [] })
  })

  it('joins events that were given before with the one that is tested', async () => {
    await using credit = await choreography([riskAssessment])
    const score = { applicationId: 'A-1', score: 734, band: 'good', reasons: [], meetsCreditPolicy: true } as const
    await credit.given('credit.score-calculated', score)
    expect(credit.published('credit.risk-assessed')).toEqual([])
    expect(credit.drawing()).toMatch(/credit.risk-assessment\s+stuck without credit.income-verified/)
    await credit.when('credit.income-verified', VERIFIED)
    expect(credit.published('credit.risk-assessed')).toHaveLength(1)
    expect(credit.flow().completeness.complete, credit.drawing()).toBe(true)
  })

  it('keeps flows of different names apart', async () => {
    await using credit = await choreography(CREDIT)
    await credit.given('credit.application-received', APPLICATION, { flow: 'first' })
    await credit.when('credit.application-received', { ...APPLICATION, meetsCreditPolicy: false }, { flow: 'second' })
    expect(credit.published('credit.decision-made')).toMatchObject([{ outcome: 'declined' }])
    expect(credit.events.filter(({ topic }) => topic === 'credit.decision-made')).toHaveLength(2)
    expect(credit.flow('first').flowId).not.toBe(credit.flow('second').flowId)
    expect(() => credit.flow('third')).toThrow(expect.objectContaining({ code: 'LABAN_FLOW_NOT_FOUND' }))
  })

  it('handles an event said twice once', async () => {
    await using credit = await choreography([incomeVerification])
    const first = await credit.given('credit.application-received', APPLICATION, { id: 'A-1' })
    const second = await credit.given('credit.application-received', APPLICATION, { id: 'A-1' })
    expect(second).toBe(first)
    expect(credit.published('credit.income-verified')).toHaveLength(1)
    expect(credit.facts.map(({ outcome }) => outcome)).toContain('duplicate')
  })

  it('takes no time for backoff', async () => {
    // In real time it would be two minutes, and the choreography would not rest in time.
    await using credit = await choreography([flaky(4)])
    await credit.when('credit.application-received', APPLICATION)
    expect(credit.published('credit.income-verified')).toEqual([VERIFIED])
    expect(credit.facts.filter(({ outcome }) => outcome === 'retried')).toHaveLength(4)
  })

  it('shows what was given up on', async () => {
    await using credit = await choreography([flaky(1, terminal('no such applicant'))])
    const eventId = await credit.when('credit.application-received', APPLICATION)
    expect(credit.published('credit.income-verified')).toEqual([])
    expect(credit.deadLetters).toMatchObject([
      { agent: 'test.flaky', topic: 'credit.application-received', eventId, attempts: 1, value: APPLICATION },
    ])
    expect(credit.deadLetters[0]?.errorMessage).toContain('no such applicant')
    expect(credit.drawing()).toMatch(/dead-lettered after 1 attempt[\s\S]*no such applicant/)
  })

  it('waits for handlers that wait for the world', async () => {
    const slow = defineAgent({
      name: 'test.slow',
      version: '1.0.0',
      consumes: 'credit.application-received',
      produces: ['credit.income-verified'],
      timeoutMs: 10_000,
      async handle(_event, { publish }) {
        await new Promise((resolve) => setTimeout(resolve, 60))
        publish('credit.income-verified', VERIFIED)
      },
    })
    await using credit = await choreography([slow])
    await credit.when('credit.application-received', APPLICATION)
    expect(credit.published('credit.income-verified')).toEqual([VERIFIED])
    expect(credit.facts.filter(({ outcome }) => outcome === 'completed')).toMatchObject([{ attempt: 1 }])
  })

  it('names what does not come to rest', async () => {
    const stuck = defineAgent({
      name: 'test.stuck',
      version: '1.0.0',
      consumes: 'credit.application-received',
      handle: () => new Promise<void>(() => undefined),
    })
    await using credit = await choreography([stuck], { timeoutMs: 100 })
    await expect(credit.when('credit.application-received', APPLICATION)).rejects.toMatchObject({
      code: 'LABAN_TEST_NOT_QUIET',
      message: expect.stringMatching(/test.stuck has not finished credit.application-received\/\d@0/) as string,
    })
  })

  it('refuses a value that breaks its contract, and topics without one', async () => {
    await using credit = await choreography([incomeVerification])
    await expect(credit.when('credit.application-received', { ...APPLICATION, fico: 12 })).rejects.toMatchObject({
      code: 'LABAN_CONTRACT_RULE',
    })
    await expect(credit.when('credit.aplication' as 'credit.application-received', APPLICATION)).rejects.toMatchObject({
      code: 'LABAN_CONTRACT_UNKNOWN_TOPIC',
    })
  })

  it('gives the same ids in every run', async () => {
    const run = async (): Promise<readonly string[]> => {
      await using credit = await choreography(CREDIT, { contracts: loadContracts({ dir: 'contracts' }) })
      await credit.when('credit.application-received', APPLICATION)
      return credit.events.map(({ topic, eventId }) => `${topic} ${eventId}`)
    }
    expect((await run()).toSorted()).toEqual((await run()).toSorted())
  })

  it('says nothing after its end', async () => {
    const credit = await choreography([incomeVerification])
    await Promise.all([credit.close(), credit.close()])
    await expect(credit.when('credit.application-received', APPLICATION)).rejects.toMatchObject({
      code: 'LABAN_SHUTDOWN',
    })
  })
})
