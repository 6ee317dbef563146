/** When dead letters are gone: their topics keep them for a time, and one that is gone cannot be redriven. */
import { agentTopic } from '../../contracts/contract.ts'
import type { Broker } from '../ports/broker.ts'
import type { DeadLetter } from './dead-letters.ts'

/** Milliseconds for which each agent's dead letters are kept; without one that keeps them for ever, or does not say. */
export type Retentions = ReadonlyMap<string, number>

/** What is about to go is said in red. */
const SOON_MS = 3 * 86_400_000

/** As the broker has it, which may differ from what the contracts want. */
export async function readRetentions(
  { broker }: { readonly broker: Pick<Broker, 'admin'> },
  letters: readonly DeadLetter[],
): Promise<Retentions> {
  const agents = new Map(letters.map(({ agent }) => [agentTopic(agent, 'dead-letter'), agent]))
  const topics = await broker.admin.describeTopics([...agents.keys()])
  return new Map(
    topics.flatMap(({ topic, config }) => {
      const retentionMs = Number(config['retention.ms'] ?? '-1')
      const agent = agents.get(topic)
      return agent === undefined || !(retentionMs >= 0) ? [] : [[agent, retentionMs] as const]
    }),
  )
}

/** Epoch milliseconds from which it may be gone; undefined for never. */
export function expiryOf({ agent, failedAtMs }: DeadLetter, retentions: Retentions): number | undefined {
  const retentionMs = retentions.get(agent)
  return retentionMs === undefined ? undefined : failedAtMs + retentionMs
}

/** Whether it goes within three days. */
export function isGoingSoon(expiresAtMs: number, nowMs: number): boolean {
  return expiresAtMs - nowMs < SOON_MS
}
