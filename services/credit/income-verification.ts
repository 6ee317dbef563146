/** Works out what an applicant earns and whether the instalment fits into it. */
import { defineAgent } from 'laban'

export default defineAgent({
  name: 'credit.income-verification',
  version: '1.0.0',
  summary: 'Checks that the applicant can carry the instalment.',
  consumes: 'credit.application-received',
  produces: ['credit.income-verified'],
  handle(application, { publish }) {
    const annualIncome = Math.exp(application.logAnnualIncome)
    const paymentToIncome = (application.monthlyInstallment * 12) / annualIncome
    const debtToIncome = application.debtToIncome / 100 + paymentToIncome
    publish('credit.income-verified', {
      applicationId: application.applicationId,
      annualIncome: Math.round(annualIncome),
      paymentToIncome,
      debtToIncome,
      affordability:
        debtToIncome > 0.36 || paymentToIncome > 0.2
          ? 'unaffordable'
          : debtToIncome > 0.25
            ? 'stretched'
            : 'comfortable',
    })
  },
})
