/** Looks for what does not add up in an application; it accuses nobody, it counts signals. */
import { defineAgent } from 'laban'

export default defineAgent({
  name: 'credit.fraud-detection',
  version: '1.0.0',
  summary: 'Looks for implausible applications.',
  consumes: 'credit.application-received',
  produces: ['credit.fraud-checked'],
  handle(application, { publish }) {
    const annualIncome = Math.exp(application.logAnnualIncome)
    const signals = [
      { signal: 'ten or more inquiries within six months', found: application.inquiriesLast6Months >= 10 },
      { signal: 'credit lines overdrawn', found: application.revolvingUtilization > 100 },
      {
        signal: 'revolving balance above twice the annual income',
        found: application.revolvingBalance > 2 * annualIncome,
      },
      {
        signal: 'income far above what the credit history suggests',
        found: annualIncome > 400_000 && application.fico < 720,
      },
      { signal: 'credit history of less than a year', found: application.creditLineDays < 365 },
    ]
      .filter(({ found }) => found)
      .map(({ signal }) => signal)
    publish('credit.fraud-checked', {
      applicationId: application.applicationId,
      risk: signals.length >= 2 ? 'high' : signals.length === 1 ? 'elevated' : 'low',
      signals,
    })
  },
})
