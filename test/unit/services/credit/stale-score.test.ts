/**
 * The race of a shared cache, where a reader sees 680 after 750 was written, cannot be written here: the score travels in the
 * event. One applicant applies many times at once, each time with another score; every end carries the score of its own flow.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CreditApplicationReceived } from '../../../../contracts/generated/events.ts'
import {
  createService,
  loadConfig,
  openCodec,
  openEmbedded,
  publisherOn,
  readValues,
  type Agent,
  type Stack,
} from '../../../../runtime/internal.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import creditScore from '../../../../services/credit/credit-score.ts'
import finalApproval from '../../../../services/credit/final-approval.ts'
import fraudDetection from '../../../../services/credit/fraud-detection.ts'
import incomeVerification from '../../../../services/credit/income-verification.ts'
import riskAssessment from '../../../../services/credit/risk-assessment.ts'
import { waitFor } from '../../../harness/wait.ts'

const AGENTS: readonly Agent[] = [creditScore, incomeVerification, fraudDetection, riskAssessment, finalApproval]
const APPLICANT = 'A-1'
const ENDS = ['credit.decision-made', 'credit.review-requested']
const LOWEST_SCORE = 600
const APPLICATIONS = 200

const application = (fico: number): CreditApplicationReceived => ({
  applicationId: APPLICANT,
  purpose: 'credit_card',
  interestRate: 0.11,
  monthlyInstallment: 300,
  logAnnualIncome: Math.log(60_000),
  debtToIncome: 12,
  fico,
  creditLineDays: 4_000,
  revolvingBalance: 9_000,
  revolvingUtilization: 40,
  inquiriesLast6Months: 0,
  delinquencies2Years: 0,
  publicRecords: 0,
  meetsCreditPolicy: true,
})

/** Scores by flow id of all events of a topic. */
async function scoresOn(stack: Stack, topic: string): Promise<ReadonlyMap<string, number>> {
  const { codec } = await openCodec(stack)
  const scores = new Map<string, number>()
  for await (const { envelope, value } of readValues({ broker: stack.broker, codec }, topic)) {
    scores.set(envelope.flowId, (value as { score: number }).score)
  }
  return scores
}

describe('many applications of one applicant at once', () => {
  it.each([
    ['each flow by itself', undefined],
    ['all under one record key', APPLICANT],
  ])('are each decided by the score of their own flow: %s', async (_how, key) => {
    const contractsDir = join(import.meta.dirname, '..', '..', '..', '..', 'contracts')
    const { config } = loadConfig({ environment: { LABAN_CONTRACTS_DIR: contractsDir } })
    const stack = await openEmbedded({ config, log: silentLogger })
    const service = await createService(stack, AGENTS, { onFatal: (error) => expect.fail(String(error)) })
    const publisher = await publisherOn(stack)
    try {
      await service.start()
      const flows = await Promise.all(
        Array.from({ length: APPLICATIONS }, async (_, index) => {
          const fico = LOWEST_SCORE + index
          const options = key === undefined ? {} : { key }
          const { flowId } = await publisher.publish('credit.application-received', application(fico), options)
          return [flowId, fico] as const
        }),
      )
      const ends = await waitFor(
        async () => {
          const [decided, reviewed] = await Promise.all(ENDS.map((topic) => scoresOn(stack, topic)))
          const all = new Map([...(decided ?? []), ...(reviewed ?? [])])
          return all.size === APPLICATIONS ? all : undefined
        },
        { timeoutMs: 10_000, what: 'every application to end' },
      )
      // Nothing but the FICO score differs, and no effect is added to it: the score is the applicant's of that moment.
      expect(ends).toEqual(new Map(flows))
    } finally {
      await publisher.close()
      await service.stop()
      await stack.close()
    }
  })
})
