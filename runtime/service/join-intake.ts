/**
 * Takes one record into its join. An incomplete join hands the member over to the `waiting` topic and finishes the input; the
 * member that completes it stays unfinished until the join's one handling is done.
 */
import type { Task } from '../consume/task.ts'
import type { JoinAnswer } from '../ports/claim-store.ts'
import type { Handover } from '../retry/handover.ts'
import type { HandlingDeps } from './deps.ts'
import { decodeMember, encodeMember, waitingRecord } from '../admit/member-format.ts'
import type { Settled, Settlement } from './settlement.ts'
import { joinedWork, singleWork, type Work } from './work.ts'

/** See the file's head. */
export class JoinIntake {
  readonly #deps: HandlingDeps
  readonly #settlement: Settlement

  constructor(deps: HandlingDeps, settlement: Settlement) {
    this.#deps = deps
    this.#settlement = settlement
  }

  /** The work of a complete join, or the end of this member. */
  async take(task: Task, handover?: Handover): Promise<Work | Settled> {
    const { admission, agent } = this.#deps
    const { flowId } = task.envelope
    const member = singleWork(task, handover)
    for (;;) {
      const { epoch } = admission
      const answer = await admission.join({ flowId, topics: agent.topics, member: encodeMember(task) })
      if (answer.result === 'late') return this.#settlement.note(member, 'late', { topic: task.topic })
      if (answer.members !== undefined) return joinedWork(agent.name, task, answer.members.map(decodeMember), handover)
      // Complete without members: the join has fired and only its members' ids are kept.
      if (answer.have.length === agent.topics.length)
        return this.#settlement.note(member, 'duplicate', { found: 'done' })
      if (await this.#waits(task, epoch)) return this.#waiting(member, answer)
    }
  }

  /**
   * The record on the log is now what waits; the store is only its index. False: the store was lost before that record could be read
   * back, and may not know of the member.
   */
  async #waits(task: Task, epoch: string): Promise<boolean> {
    const { admission, agent, dedup } = this.#deps
    await this.#settlement.hand([waitingRecord(agent.name, task)])
    return !dedup || (await admission.confirmedEpoch(task.envelope.flowId)) === epoch
  }

  #waiting(member: Work, answer: JoinAnswer): Settled {
    const missing = this.#deps.agent.topics.filter((name) => !answer.have.includes(name))
    return this.#settlement.note(member, 'waiting', { have: answer.have.join(','), missing: missing.join(',') })
  }
}
