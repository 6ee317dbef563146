/** Follows the demonstration on its topics: how many events each agent has published, and how every application ended. */
import type { Stack } from '../../runtime/internal.ts'

const PROGRESS_TOPICS = [
  ['credit.application-received', 'received'],
  ['credit.score-calculated', 'scored'],
  ['credit.income-verified', 'income verified'],
  ['credit.fraud-checked', 'fraud checked'],
  ['credit.risk-assessed', 'risk assessed'],
] as const
const END_TOPICS = ['credit.decision-made', 'credit.review-requested'] as const

/** Counts of one moment. */
export interface Tally {
  /** By what has happened, in the order of the choreography. */
  readonly steps: readonly (readonly [string, number])[]
  /** Applications with a decision or a review request. */
  readonly ended: number
}

/** Counts the records of the choreography's topics. */
export async function tally({ broker }: Stack): Promise<Tally> {
  const count = async (topic: string): Promise<number> => {
    const offsets = await broker.admin.offsets(topic)
    return offsets.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
  }
  const steps = await Promise.all(PROGRESS_TOPICS.map(async ([topic, label]) => [label, await count(topic)] as const))
  const ends = await Promise.all(END_TOPICS.map(count))
  const ended = ends.reduce((sum, each) => sum + each, 0)
  return { steps: [...steps, ['decided or sent to a person', ended]], ended }
}
