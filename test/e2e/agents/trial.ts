/** A trial: its agents and topics, the counter that its handlers call, and what must hold of everything it leaves behind. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findEvents, isSettled } from '../../harness/check-events.ts'
import type { OpenLog } from '../../harness/processes.ts'

export const TRIAL_CONTRACTS = join(import.meta.dirname, 'contracts')
export const TRIAL_AGENTS = ['splitter', 'left-worker', 'right-worker', 'joiner', 'tally'].map((name) =>
  join(import.meta.dirname, name),
)
/** Agent name to the topics it consumes, the first of the flow first. */
const CONSUMES: Readonly<Record<string, readonly string[]>> = {
  'trial.splitter': ['trial.begun'],
  'trial.left-worker': ['trial.left-wanted'],
  'trial.right-worker': ['trial.right-wanted'],
  'trial.joiner': ['trial.left-done', 'trial.right-done'],
  'trial.tally': ['trial.ended'],
}
const TOPICS = Object.values(CONSUMES).flat()

/** Counts calls per `<agent>/<event id>`. */
export interface Counter {
  readonly url: string
  readonly calls: ReadonlyMap<string, number>
  close(): Promise<void>
}

/** Starts the counter on a free port. With `until`, callers, or those of one agent, wait for it: their handlers run that long. */
export async function startCounter(until: Promise<void> = Promise.resolve(), heldAgent?: string): Promise<Counter> {
  const calls = new Map<string, number>()
  const server = createServer((request, response) => {
    const what = request.url?.slice(1) ?? ''
    calls.set(what, (calls.get(what) ?? 0) + 1)
    const isHeld = heldAgent === undefined || what.startsWith(`${heldAgent}/`)
    void (isHeld ? until : Promise.resolve()).then(() => response.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** True when every agent has committed past everything that its topics hold. */
export function isTrialSettled(log: OpenLog): Promise<boolean> {
  return isSettled(log, CONSUMES)
}

/** What a trial left behind, and what it should have. */
export interface TrialResult {
  readonly flows: number
  /** How often work was ended without a word, so that it had to run again. */
  readonly kills: number
  readonly calls: ReadonlyMap<string, number>
}

/** Counts of one check; `violations` is empty when everything holds. */
export interface Verdict {
  readonly records: number
  /** Records beyond the first of their id. */
  readonly copies: number
  /** Handlers that ran more than once for an event. */
  readonly reruns: number
  readonly violations: readonly string[]
}

/** Reads all records and says what does not hold: one content per id, one event of each topic per flow, calls bounded by kills. */
export async function checkTrial(log: OpenLog, { flows, kills, calls }: TrialResult): Promise<Verdict> {
  const found = await findEvents(log, TOPICS)
  const violations = [...found.violations]
  for (const [topic, idsByFlow] of found.idsByTopic) {
    if (idsByFlow.size !== flows) violations.push(`${topic} has events of ${idsByFlow.size} flows, not of ${flows}`)
    for (const [flowId, ids] of idsByFlow)
      if (ids.size > 1) violations.push(`${topic} has ${ids.size} events of ${flowId}`)
  }
  const handlings = flows * Object.keys(CONSUMES).length
  if (calls.size !== handlings) violations.push(`${calls.size} handlings called the counter, not ${handlings}`)
  for (const [what, count] of calls) if (count > 1 + kills) violations.push(`${what} ran ${count} times`)
  const reruns = [...calls.values()].filter((count) => count > 1).length
  return { records: found.records, copies: found.copies, reruns, violations }
}
