/** Scores an applicant's credit history. It publishes the score itself, not a hint to read it elsewhere: nobody can see a stale one. */
import { defineAgent } from 'laban'

export default defineAgent({
  name: 'credit.credit-score',
  version: '1.0.0',
  summary: 'Scores the credit history of an application.',
  consumes: 'credit.application-received',
  produces: ['credit.score-calculated'],
  handle(application, { publish }) {
    const effects = [
      { reason: 'payments overdue in the last two years', points: -20 * Math.min(application.delinquencies2Years, 4) },
      { reason: 'derogatory public records', points: -30 * Math.min(application.publicRecords, 3) },
      { reason: 'many recent credit inquiries', points: -6 * Math.min(application.inquiriesLast6Months, 10) },
      { reason: 'credit lines nearly used up', points: application.revolvingUtilization > 80 ? -15 : 0 },
      { reason: 'short credit history', points: application.creditLineDays < 3 * 365 ? -10 : 0 },
      { reason: 'long credit history', points: application.creditLineDays > 15 * 365 ? 10 : 0 },
    ].filter(({ points }) => points !== 0)
    const total = effects.reduce((sum, { points }) => sum + points, application.fico)
    const score = Math.max(300, Math.min(850, total))
    publish('credit.score-calculated', {
      applicationId: application.applicationId,
      score,
      band: bandOf(score),
      meetsCreditPolicy: application.meetsCreditPolicy,
      reasons: effects.toSorted((a, b) => Math.abs(b.points) - Math.abs(a.points)).map(({ reason }) => reason),
    })
  },
})

function bandOf(score: number): 'excellent' | 'good' | 'fair' | 'poor' {
  if (score >= 760) return 'excellent'
  if (score >= 700) return 'good'
  return score >= 640 ? 'fair' : 'poor'
}
