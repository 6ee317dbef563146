/**
 * I4: nothing is accepted from an owner whose claim was taken. On the log: one handling has one end with one set of outputs. Saying the
 * same end again after a crash is no second end. Attempts are not compared: those of one claim start anew after a takeover.
 */
import type { Fact } from '../../../contracts/fact.ts'
import { isExceptionOfWipe, type Finding, type History, type PastFact, type PastWipe } from './history.ts'
import { redrivesIn } from './redrives.ts'

const RESULTS: ReadonlySet<Fact['outcome']> = new Set(['completed', 'rejected', 'dead-lettered'])

/** I4: what breaks it. */
export function oneOwner(history: History): Finding[] {
  const redriven = redrivesIn(history)
  const byHandling = new Map<string, PastFact[]>()
  for (const past of history.facts) {
    const { agent, handlingId, outcome } = past.fact
    if (!RESULTS.has(outcome)) continue
    const name = `${agent} ${handlingId}`
    const list = byHandling.get(name)
    if (list === undefined) byHandling.set(name, [past])
    else list.push(past)
  }
  return [...byHandling].flatMap(([name, list]) =>
    list.length === 1 ? [] : contradictions(list, redriven.get(name)?.redrives[0]?.at ?? Infinity, history.wipes),
  )
}

/** What ends after `redrivenAt` may be another end than the dead letter before it. */
function contradictions(list: readonly PastFact[], redrivenAt: number, wipes: readonly PastWipe[]): Finding[] {
  const wrong: Finding[] = []
  const say = ({ agent, handlingId, flowId }: Fact, problem: string): void => {
    wrong.push({ invariant: 'I4', problem: `${agent} ${handlingId}: ${problem}`, flowId })
  }
  let result: Fact | undefined
  let resultAt = 0
  for (const { fact, at } of list) {
    if (result?.outcome === 'dead-lettered' && redrivenAt < at) result = undefined
    const isExcused =
      result !== undefined &&
      isExceptionOfWipe(wipes, { at: resultAt, madeAtMs: result.startedAtMs }, { madeAtMs: fact.startedAtMs })
    if (result !== undefined && !isExcused && resultOf(fact) !== resultOf(result)) {
      say(fact, `ended as ${resultOf(result)} (${result.instance}) and as ${resultOf(fact)} (${fact.instance})`)
    }
    if (result === undefined) resultAt = at
    result ??= fact
  }
  return wrong
}

function resultOf({ outcome, outputs }: Fact): string {
  return [outcome, ...outputs.map(({ eventId, hash }) => `${eventId} ${hash}`).sort()].join(' ')
}
