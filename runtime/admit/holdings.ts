/**
 * What this process holds in the store: claims, results that are not yet `done`, and the members of joins under way. Kept so that a
 * store that has lost its memory can be told again; nothing else reads it.
 */
import { joinHandlingId, type Uuid } from '../../contracts/ids.ts'
import type {
  BuryRequest,
  ClaimRequest,
  ComputeRequest,
  HandlingRef,
  JoinAnswer,
  JoinRequest,
  JournalRequest,
  Transition,
} from '../ports/claim-store.ts'
import type { RestoredHandling, RestoredMember, RestoredState } from '../ports/recovery-store.ts'

/** A claim has no outputs; a result does. */
interface Claimed extends HandlingRef {
  readonly owner: string
  readonly attempt: number
  readonly generation: number
  readonly deaths?: number
}

/** A dead letter that is not settled has a note. */
interface Buried extends Claimed {
  readonly note: Buffer
}

/** See the file's head. One per agent and process. */
export class Holdings {
  readonly #agent: string
  readonly #byId = new Map<Uuid, Claimed | Buried | ComputeRequest>()
  readonly #joins = new Map<Uuid, JoinAnswer>()

  constructor(agent: string) {
    this.#agent = agent
  }

  /** Claims that were asked for. */
  claimed(requests: readonly ClaimRequest[], answers: readonly Transition[]): void {
    requests.forEach(({ flowId, handlingId, owner, from, generation = 0 }, index) => {
      const { accepted, current } = answers[index] ?? REFUSED
      if (!accepted || current.state !== 'claimed') return
      const redriven = typeof from === 'object' && 'deadGeneration' in from ? from.deadGeneration : 0
      const { attempt, deaths = 0 } = current
      const held = { flowId, handlingId, owner, attempt, generation: Math.max(generation, redriven), deaths }
      this.#byId.set(handlingId, held)
    })
  }

  /** Results; who lost the race for one holds nothing any more. */
  computed(requests: readonly ComputeRequest[], answers: readonly Transition[]): void {
    requests.forEach((request, index) => {
      if (answers[index]?.accepted === true) this.#byId.set(request.handlingId, request)
      else this.#byId.delete(request.handlingId)
    })
  }

  /** Dead letters that are begun: nobody else can finish them once the store has forgotten their notes. */
  buried(requests: readonly BuryRequest[], answers: readonly Transition[]): void {
    requests.forEach(({ flowId, handlingId, from, note }, index) => {
      const { accepted, current } = answers[index] ?? REFUSED
      this.#byId.delete(handlingId)
      // A result that cannot be published stands in the journal, and is read back as one.
      if (!accepted || current.state !== 'dead' || (from !== 'absent' && 'computedBy' in from)) return
      const { owner, attempt } = from === 'absent' ? { owner: '', attempt: 0 } : from
      this.#byId.set(handlingId, { flowId, handlingId, owner, attempt, generation: current.generation, note })
    })
  }

  /** Entries of journals: a refused one shows that the claim is gone. */
  journaled(requests: readonly JournalRequest[], answers: readonly Transition[]): void {
    requests.forEach(({ handlingId }, index) => {
      if (answers[index]?.accepted === false) this.#byId.delete(handlingId)
    })
  }

  /** Finished, handed over, settled or released, by us or, where that was refused, by whoever has taken it. */
  ended(requests: readonly HandlingRef[]): void {
    for (const { handlingId } of requests) this.#byId.delete(handlingId)
    if (this.#joins.size === 0) return
    for (const { flowId, handlingId } of requests)
      if (handlingId === joinHandlingId(this.#agent, flowId)) this.#joins.delete(flowId)
  }

  /** Members of joins; only complete ones are held: others wait on the log. */
  joined(requests: readonly JoinRequest[], answers: readonly JoinAnswer[]): void {
    requests.forEach(({ flowId }, index) => {
      const answer = answers[index]
      if (answer?.members !== undefined) this.#joins.set(flowId, answer)
    })
  }

  /** A complete join is not worked on here any more. */
  left(flowId: Uuid): void {
    this.#joins.delete(flowId)
  }

  /** What is held of handlings, to be put back. */
  get handlings(): readonly RestoredHandling[] {
    return [...this.#byId.values()].map((held) => {
      const { flowId, handlingId } = held
      return { flowId, handlingId, restored: restoredOf(held) }
    })
  }

  /** What is held of joins, to be put back. */
  get members(): readonly RestoredMember[] {
    return [...this.#joins].flatMap(([flowId, { members = [] }]) =>
      members.map((member) => ({ flowId, member, isDone: false })),
    )
  }
}

const REFUSED: Transition = { accepted: false, current: { state: 'absent' } }

function restoredOf(held: Claimed | Buried | ComputeRequest): RestoredState {
  const { owner, attempt } = held
  if ('outputs' in held) return { state: 'computed', owner, attempt, position: held.position, outputs: held.outputs }
  const { generation, deaths = 0 } = held
  if (!('note' in held)) return { state: 'claimed', owner, attempt, generation, deaths }
  return { state: 'dead', attempt, generation, unsettled: { owner, note: held.note } }
}
