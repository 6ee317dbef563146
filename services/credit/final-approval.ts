/** Decides an application from risk and fraud, or hands it to a person when the rules do not settle it. */
import { defineAgent } from 'laban'

export default defineAgent({
  name: 'credit.final-approval',
  version: '1.0.0',
  summary: 'Decides, or asks a person to.',
  consumes: { all: ['credit.risk-assessed', 'credit.fraud-checked'] },
  produces: { oneOf: ['credit.decision-made', 'credit.review-requested'] },
  handle(events, { publish }) {
    const risk = events['credit.risk-assessed']
    const fraud = events['credit.fraud-checked']
    const { applicationId, score, probabilityOfDefault } = risk

    const objections: string[] = []
    if (!risk.meetsCreditPolicy) objections.push('outside the credit policy')
    if (risk.affordability === 'unaffordable') objections.push('the instalment does not fit the income')
    if (probabilityOfDefault > 0.4) objections.push('probability of default above 40 %')
    if (objections.length > 0) {
      const reasons = [...objections, ...risk.reasons]
      publish('credit.decision-made', { applicationId, outcome: 'declined', score, probabilityOfDefault, reasons })
      return
    }

    const doubts = [...fraud.signals]
    if (probabilityOfDefault > 0.3) doubts.push('probability of default between 30 % and 40 %')
    if (doubts.length > 0) {
      publish('credit.review-requested', {
        applicationId,
        score,
        probabilityOfDefault,
        fraudRisk: fraud.risk,
        reasons: doubts,
      })
      return
    }
    publish('credit.decision-made', { applicationId, outcome: 'approved', score, probabilityOfDefault, reasons: [] })
  },
})
