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

/** An amount of money in the text. */
export interface DocumentsAmountMention {
  /** As written */
  readonly text: string
  /** ISO 4217 code */
  readonly currency: string
  /** Hundredths of the currency's unit */
  readonly cents: number
  /** What stands before it on its line */
  readonly label: string
  /** Heading of its section */
  readonly section: string
}

/** A date in the text. */
export interface DocumentsDateMention {
  /** As written */
  readonly text: string
  /** ISO 8601 day; null when the calendar has no such day */
  readonly date: string | null
  /** What stands before it on its line */
  readonly label: string
  /** Heading of its section */
  readonly section: string
}

/** How the text is marked up */
export type DocumentsDocumentFormat = 'plain' | 'markdown'

/** What a document is; decides what it must contain */
export type DocumentsDocumentKind = 'invoice' | 'report' | 'other'

/** The parts of a document. */
export interface DocumentsDocumentParsed {
  /** The sender's reference; empty when there is none */
  readonly documentId: string
  readonly kind: DocumentsDocumentKind
  /** First heading, else first line */
  readonly title: string
  /** In order */
  readonly sections: readonly DocumentsSection[]
  /** In order */
  readonly dates: readonly DocumentsDateMention[]
  /** In order */
  readonly amounts: readonly DocumentsAmountMention[]
}

/** The document is checked, summarized and ready to be found. */
export interface DocumentsDocumentPublished {
  /** The sender's reference; empty when there is none */
  readonly documentId: string
  readonly title: string
  /** Markdown */
  readonly page: string
  readonly keyPhrases: readonly string[]
}

/** A document arrived, with its whole text. */
export interface DocumentsDocumentReceived {
  /** The sender's reference; empty when there is none */
  readonly documentId: string
  readonly kind: DocumentsDocumentKind
  readonly format: DocumentsDocumentFormat
  readonly text: string
}

/** The document in a few of its own sentences. */
export interface DocumentsDocumentSummarized {
  /** The sender's reference; empty when there is none */
  readonly documentId: string
  /** In the order of the document */
  readonly sentences: readonly string[]
  /** Most telling first */
  readonly keyPhrases: readonly string[]
  /** Sentences of the whole document */
  readonly sentenceCount: number
}

/** The document passed every check of its kind. */
export interface DocumentsDocumentValidated {
  /** The sender's reference; empty when there is none */
  readonly documentId: string
  /** First heading, else first line */
  readonly title: string
  /** Names of the checks */
  readonly checks: readonly string[]
  /** The totals that were found and add up */
  readonly totals: readonly DocumentsAmountMention[]
}

/** A heading and what stands below it, up to the next heading. */
export interface DocumentsSection {
  /** Empty for what stands before the first heading */
  readonly heading: string
  /** 1 is the highest; 0 without a heading */
  readonly level: number
  /** As received, markup included */
  readonly text: string
}

/** What the findings say, without repetition. */
export interface ResearchAnalysisReady {
  /** The requester's reference; empty when there is none */
  readonly requestId: string
  /** As it was asked */
  readonly question: string
  /** The sentences that answer together, in the order of their sources */
  readonly answer: readonly ResearchFinding[]
  /** Most telling first */
  readonly keyPhrases: readonly string[]
  /** Terms of the question that no source mentions */
  readonly missingTerms: readonly string[]
  /** 0 to 1: the share of the question's terms that was found, weighed by how many sentences and sources support it */
  readonly confidence: number
}

/** A sentence of a source that speaks of the question. */
export interface ResearchFinding {
  /** Name of the source */
  readonly source: string
  /** Place of the sentence in its source, from 0 */
  readonly position: number
  /** Word for word */
  readonly sentence: string
  /** Terms of the question that it mentions */
  readonly terms: readonly string[]
  /** 0 to 1: the share of the question that it mentions, rare terms counting more */
  readonly relevance: number
}

/** The report to read. */
export interface ResearchReportPublished {
  /** The requester's reference; empty when there is none */
  readonly requestId: string
  readonly title: string
  /** Markdown */
  readonly body: string
  /** Names of the sources that are quoted, in the order of their numbers */
  readonly sources: readonly string[]
  /** 0 to 1: the share of the question's terms that was found, weighed by how many sentences and sources support it */
  readonly confidence: number
}

/** The texts were searched. */
export interface ResearchResearchCompleted {
  /** The requester's reference; empty when there is none */
  readonly requestId: string
  /** As it was asked */
  readonly question: string
  /** What was searched for: the question without its small words */
  readonly terms: readonly string[]
  /** Terms of the question that no source mentions */
  readonly missingTerms: readonly string[]
  /** Most relevant first */
  readonly findings: readonly ResearchFinding[]
  /** 0 to 1: the share of the question's terms that was found, weighed by how many sentences and sources support it */
  readonly confidence: number
}

/** Somebody asks a question and names the texts to answer it from. */
export interface ResearchResearchRequested {
  /** The requester's reference; empty when there is none */
  readonly requestId: string
  /** As it was asked */
  readonly question: string
  /** The texts themselves: nothing is fetched, so every run reads the same */
  readonly sources: readonly ResearchSourceText[]
}

/** A text to search. */
export interface ResearchSourceText {
  /** What a reader knows it by: a title, a file, an address */
  readonly name: string
  /** Plain text or prose in Markdown */
  readonly text: string
}

declare module 'laban' {
  interface Events {
    'analysis.ready': ResearchAnalysisReady
    'credit.application-received': CreditApplicationReceived
    'credit.decision-made': CreditDecisionMade
    'credit.fraud-checked': CreditFraudChecked
    'credit.income-verified': CreditIncomeVerified
    'credit.review-requested': CreditReviewRequested
    'credit.risk-assessed': CreditRiskAssessed
    'credit.score-calculated': CreditScoreCalculated
    'document.parsed': DocumentsDocumentParsed
    'document.published': DocumentsDocumentPublished
    'document.received': DocumentsDocumentReceived
    'document.summarized': DocumentsDocumentSummarized
    'document.validated': DocumentsDocumentValidated
    'report.published': ResearchReportPublished
    'research.completed': ResearchResearchCompleted
    'research.requested': ResearchResearchRequested
  }
}
