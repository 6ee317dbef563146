/**
 * Sees what no log shows: that a handler ran, that the function of a step or an effect was called, and what the store accepted. The judge
 * compares it with what is on the log.
 */
import type { Agent } from '../../agent.ts'
import type { HandlerContext } from '../../context.ts'
import { decodeEntry } from '../../journal/entry-format.ts'
import type { JournalRequest, HandlingRef, Transition } from '../../ports/claim-store.ts'
import type { PastCall, PastEntry, PastRun, PastWipe } from '../invariants/history.ts'
import type { Life } from './life.ts'

/** One per run. */
export class Witness {
  readonly runs: PastRun[] = []
  readonly calls: PastCall[] = []
  readonly entries: PastEntry[] = []
  /** When the store forgot everything. */
  readonly wipes: PastWipe[] = []
  readonly #next: () => number
  /** Who the store said owns a handling, by agent and handling. */
  readonly #owners = new Map<string, string>()

  /** `next` numbers everything that happens, in the order of the log. */
  constructor(next: () => number) {
    this.#next = next
  }

  /** The store has lost its memory. */
  wiped(atMs: number): void {
    this.wipes.push({ at: this.#next(), atMs })
  }

  /** A handler begins. */
  ran(agent: Agent, life: Life, context: HandlerContext): void {
    this.runs.push({ ...this.#happening(agent, life, context), attempt: context.attempt })
  }

  /** The function of a step or an effect is called. */
  called(
    agent: Agent,
    life: Life,
    context: HandlerContext,
    { kind, name, key }: Pick<PastCall, 'kind' | 'name' | 'key'>,
  ): void {
    this.calls.push({ ...this.#happening(agent, life, context), kind, name, key })
  }

  /** The store has answered. */
  readonly answered = (agent: string, method: string, requests: unknown, answers: unknown): void => {
    if (method === 'claim') this.#noteClaims(agent, requests as readonly HandlingRef[], answers as Transition[])
    if (method === 'writeJournal') this.#noteEntries(agent, requests as JournalRequest[], answers as Transition[])
  }

  #happening(agent: Agent, life: Life, { eventId, flowId }: HandlerContext): Omit<PastRun, 'attempt'> {
    const owner = this.#owners.get(`${agent.name} ${eventId}`) ?? life.name
    const isStray = owner !== life.name
    return { at: this.#next(), agent: agent.name, process: life.name, handlingId: eventId, flowId, isStray }
  }

  #noteClaims(agent: string, requests: readonly HandlingRef[], answers: readonly Transition[]): void {
    answers.forEach(({ accepted, current }, index) => {
      const handlingId = requests[index]?.handlingId
      if (accepted && current.state === 'claimed') this.#owners.set(`${agent} ${handlingId}`, current.owner)
    })
  }

  #noteEntries(agent: string, requests: readonly JournalRequest[], answers: readonly Transition[]): void {
    requests.forEach(({ handlingId, value }, index) => {
      if (answers[index]?.accepted !== true) return
      this.entries.push({ at: this.#next(), agent, handlingId, entry: decodeEntry(value) })
    })
  }
}
