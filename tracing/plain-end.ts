/**
 * Tells a flow that has ended well from its facts alone, without drawing its graph: most flows on a log have, and whoever looks for the
 * others need not rebuild them. Rule: true only if `reconstructFlow` would say `completed`; where anything is special, false.
 */
import type { Fact, FactInput, FactOutcome, FactOutput } from '../contracts/fact.ts'
import type { Subscriptions } from './subscriptions.ts'

const PLAIN: ReadonlySet<FactOutcome> = new Set(['published', 'started', 'waiting', 'completed', 'rejected'])
const ENDS: ReadonlySet<FactOutcome> = new Set(['completed', 'rejected'])

/** All facts of one flow, in any order, some of them twice. */
export function hasPlainlyEnded(facts: readonly Fact[], subscriptions: Subscriptions): boolean {
  if (subscriptions.isEmpty || facts.length === 0) return false
  const ended = new Set<string>()
  const begun = new Set<string>()
  for (const { outcome, agent, handlingId, inputs } of facts) {
    if (!PLAIN.has(outcome)) return false
    if (outcome === 'started') begun.add(`${agent} ${handlingId}`)
    if (outcome === 'waiting') for (const { eventId } of inputs) begun.add(`${agent} ${eventId}`)
    if (!ENDS.has(outcome)) continue
    ended.add(`${agent} ${handlingId}`)
    for (const { eventId } of inputs) ended.add(`${agent} ${eventId}`)
  }
  for (const name of begun) if (!ended.has(name)) return false
  const isHeard = ({ eventId, topic, partition, offset }: FactInput | FactOutput): boolean => {
    const position = offset < 0 ? null : { topic, partition, offset }
    return subscriptions.to(topic, position).every(({ agent }) => ended.has(`${agent} ${eventId}`))
  }
  return facts.every(({ inputs, outputs }) => inputs.every(isHeard) && outputs.every(isHeard))
}
