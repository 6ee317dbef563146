/** Joins score and income of one application into the probability that the loan fails. */
import { defineAgent } from 'laban'

export default defineAgent({
  name: 'credit.risk-assessment',
  version: '1.0.0',
  summary: 'Estimates the probability of default from score and income.',
  consumes: { all: ['credit.score-calculated', 'credit.income-verified'] },
  produces: ['credit.risk-assessed'],
  handle(events, { publish }) {
    const score = events['credit.score-calculated']
    const income = events['credit.income-verified']
    // A logistic curve: 15 % at a score of 700 without debt burden, doubling in odds with every 60 points less.
    const logOdds = Math.log(0.15 / 0.85) + ((700 - score.score) / 60) * Math.LN2 + 3 * (income.debtToIncome - 0.15)
    publish('credit.risk-assessed', {
      applicationId: score.applicationId,
      score: score.score,
      probabilityOfDefault: 1 / (1 + Math.exp(-logOdds)),
      affordability: income.affordability,
      meetsCreditPolicy: score.meetsCreditPolicy,
      reasons: score.reasons,
    })
  },
})
