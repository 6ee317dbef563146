/**
 * I4: nothing is accepted from an owner whose claim was taken. On the log: one handling has one end with one set of outputs. Saying the
 * same end again after a crash is no second end. Attempts are not compared: those of one claim start anew after a takeover.
 */
import type { Fact } from '../../../contracts/fact.ts'
import type { Finding, History, PastFact } from './history.ts'

const RESULTS: ReadonlySet<Fact['outcome']> = new Set(['completed', 'rejected', 'dead-lettered'])

/** I4: what breaks it. */
export function oneOwner({ facts }: History): Finding[] {
  const byHandling = new Map<string, PastFact[]>()
  for (const past of facts) {
    const { agent, handlingId, outcome } = past.fact
    if (!RESULTS.has(outcome)) continue
    const name = `${agent}/${handlingId}`
    const list = byHandling.get(name)
    if (list === undefined) byHandling.set(name, [past])
    else list.push(past)
  }
  return [...byHandling.values()].flatMap((list) => (list.length === 1 ? [] : contradictions(list)))
}

function contradictions(list: readonly PastFact[]): Finding[] {
  const wrong: Finding[] = []
  const say = ({ agent, handlingId, flowId }: Fact, problem: string): void => {
    wrong.push({ invariant: 'I4', problem: `${agent} ${handlingId}: ${problem}`, flowId })
  }
  let result: Fact | undefined
  for (const { fact } of list) {
    if (result !== undefined && isRedriveOf(fact, result)) result = undefined
    if (result !== undefined && resultOf(fact) !== resultOf(result)) {
      say(fact, `ended as ${resultOf(result)} (${result.instance}) and as ${resultOf(fact)} (${fact.instance})`)
    }
    result ??= fact
  }
  return wrong
}

/** A dead letter may be given another chance. */
function isRedriveOf(fact: Fact, before: Fact): boolean {
  return before.outcome === 'dead-lettered' && fact.attempt > before.attempt
}

function resultOf({ outcome, outputs }: Fact): string {
  return [outcome, ...outputs.map(({ eventId, hash }) => `${eventId} ${hash}`).sort()].join(' ')
}
