// Generated from the contracts by `laban generate`. Do not edit: change the .avsc files and generate again.

/** Whether the applicant can carry the instalment */
export type CreditAffordability = 'comfortable' | 'stretched' | 'unaffordable' | 'unknown'

/** A person asks for a loan. */
export interface CreditApplicationReceived {
  /** The applicant's reference at the lender; empty when the source has none */
  readonly applicationId: string
  readonly purpose: CreditLoanPurpose
  /** Yearly rate offered, as a ratio: 0.12 is 12 % */
  readonly interestRate: number
  /** USD a month */
  readonly monthlyInstallment: number
  /** Natural logarithm of the stated annual income in USD */
  readonly logAnnualIncome: number
  /** Monthly debt payments by monthly income, in percent */
  readonly debtToIncome: number
  /** FICO score at the time of application, 300 to 850 */
  readonly fico: number
  /** Days since the first credit line was opened */
  readonly creditLineDays: number
  /** Unpaid balance of revolving credit, USD */
  readonly revolvingBalance: number
  /** Used part of the revolving credit limit, in percent; above 100 when overdrawn */
  readonly revolvingUtilization: number
  /** Credit inquiries by lenders in the last six months */
  readonly inquiriesLast6Months: number
  /** Payments 30 days or more overdue in the last two years */
  readonly delinquencies2Years: number
  /** Derogatory public records: bankruptcies, tax liens, judgements */
  readonly publicRecords: number
  /** Whether the lender's underwriting criteria are met */
  readonly meetsCreditPolicy: boolean
}

/** The application is decided. */
export interface CreditDecisionMade {
  /** The applicant's reference at the lender; empty when the source has none */
  readonly applicationId: string
  readonly outcome: CreditDecisionOutcome
  /** The score that was weighed, 300 to 850 */
  readonly score: number
  /** 0 to 1 */
  readonly probabilityOfDefault: number
  readonly reasons: readonly string[]
}

/** How an application ended */
export type CreditDecisionOutcome = 'approved' | 'declined' | 'unknown'

/** How plausible the application is. */
export interface CreditFraudChecked {
  /** The applicant's reference at the lender; empty when the source has none */
  readonly applicationId: string
  readonly risk: CreditFraudRisk
  /** What looked implausible */
  readonly signals: readonly string[]
}

/** How much speaks for fraud */
export type CreditFraudRisk = 'low' | 'elevated' | 'high' | 'unknown'

/** What the applicant earns and can carry. */
export interface CreditIncomeVerified {
  /** The applicant's reference at the lender; empty when the source has none */
  readonly applicationId: string
  /** USD */
  readonly annualIncome: number
  /** Instalment by monthly income, as a ratio */
  readonly paymentToIncome: number
  /** All debt payments by monthly income, this loan included, as a ratio */
  readonly debtToIncome: number
  readonly affordability: CreditAffordability
}

/** What the loan is for */
export type CreditLoanPurpose = 'debt_consolidation' | 'credit_card' | 'home_improvement' | 'small_business' | 'major_purchase' | 'educational' | 'all_other'

/** A person must look at the application before it is decided. */
export interface CreditReviewRequested {
  /** The applicant's reference at the lender; empty when the source has none */
  readonly applicationId: string
  /** The score that was weighed, 300 to 850 */
  readonly score: number
  /** 0 to 1 */
  readonly probabilityOfDefault: number
  readonly fraudRisk: CreditFraudRisk
  /** Why no rule decides it */
  readonly reasons: readonly string[]
}

/** How likely the loan is to fail. */
export interface CreditRiskAssessed {
  /** The applicant's reference at the lender; empty when the source has none */
  readonly applicationId: string
  /** The score that was weighed, 300 to 850 */
  readonly score: number
  /** 0 to 1 */
  readonly probabilityOfDefault: number
  readonly affordability: CreditAffordability
  readonly meetsCreditPolicy: boolean
  readonly reasons: readonly string[]
}

/** Score in words: excellent from 760, good from 700, fair from 640, poor below */
export type CreditScoreBand = 'excellent' | 'good' | 'fair' | 'poor' | 'unknown'

/** What the credit history is worth. */
export interface CreditScoreCalculated {
  /** The applicant's reference at the lender; empty when the source has none */
  readonly applicationId: string
  /** 300 to 850; the applicant's FICO score after what it does not weigh enough */
  readonly score: number
  readonly band: CreditScoreBand
  readonly meetsCreditPolicy: boolean
  /** What moved the score, largest effect first */
  readonly reasons: readonly string[]
}

declare module 'laban' {
  interface Events {
    'credit.application-received': CreditApplicationReceived
    'credit.decision-made': CreditDecisionMade
    'credit.fraud-checked': CreditFraudChecked
    'credit.income-verified': CreditIncomeVerified
    'credit.review-requested': CreditReviewRequested
    'credit.risk-assessed': CreditRiskAssessed
    'credit.score-calculated': CreditScoreCalculated
  }
}
