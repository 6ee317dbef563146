/** A sound application, for tests that need one. */
import type { CreditApplicationReceived } from '../../../../contracts/generated/events.ts'

/** Approved by the credit agents. */
export const APPLICATION: CreditApplicationReceived = {
  applicationId: 'A-1',
  purpose: 'credit_card',
  interestRate: 0.11,
  monthlyInstallment: 300,
  logAnnualIncome: Math.log(60_000),
  debtToIncome: 12,
  fico: 740,
  creditLineDays: 4_000,
  revolvingBalance: 9_000,
  revolvingUtilization: 40,
  inquiriesLast6Months: 1,
  delinquencies2Years: 0,
  publicRecords: 0,
  meetsCreditPolicy: true,
}
