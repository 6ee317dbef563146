/** A store written as plainly as possible, to compare real ones with. Nothing in it ends, and it keeps no bytes apart. */
import { joinHandlingId } from '../../contracts/ids.ts'
import type {
  BuryRequest,
  ClaimRequest,
  ComputeRequest,
  From,
  FinishRequest,
  HandedKind,
  HandlingRef,
  JoinMember,
  JoinRequest,
  JournalRequest,
} from '../../runtime/ports/claim-store.ts'

/** All that is ever known of one handling, whatever its state. */
interface Entry {
  readonly state: string
  readonly owner: string
  readonly attempt: number
  readonly generation: number
  readonly shown: object
  /** What is kept of a result that could not be published. */
  readonly result?: object
}

const ABSENT: Entry = { state: 'absent', owner: '', attempt: 0, generation: 0, shown: {} }

/** One agent's claims and joins. */
export class StoreModel {
  readonly #agent: string
  readonly #entries = new Map<string, Entry>()
  readonly #joins = new Map<string, Map<string, JoinMember>>()
  readonly #fired = new Set<string>()
  readonly #journals = new Map<string, ReadonlyMap<string, Buffer>>()

  constructor(agent: string) {
    this.#agent = agent
  }

  read(ref: HandlingRef): object {
    const { state, shown } = this.#get(ref)
    return { state, ...shown }
  }

  claim(request: ClaimRequest): object {
    const { owner, from, deaths = 0 } = request
    const old = this.#get(request)
    const isMine = old.state === 'claimed' && old.owner === owner
    const enter = (attempt: number, count = 0) => {
      const shown = { owner, attempt, ...(count === 0 ? {} : { deaths: count }) }
      return { ...old, state: 'claimed', owner, attempt, shown }
    }
    if (from === 'absent') {
      const isSame = old.generation === 0 && ('deaths' in old.shown ? old.shown.deaths : 0) === deaths
      return this.#settle(request, meets(old, from), enter(1, deaths), isMine && old.attempt === 1 && isSame)
    }
    if ('owner' in from) {
      return this.#settle(
        request,
        meets(old, from),
        enter(from.attempt + 1, deaths),
        isMine && old.attempt === from.attempt + 1,
      )
    }
    if ('handed' in from) {
      const isHanded = old.state === 'handed' && old.attempt === from.attempt
      return this.#settle(
        request,
        isHanded && 'kind' in old.shown && old.shown.kind === from.handed,
        enter(from.attempt + 1),
        isMine && old.attempt === from.attempt + 1,
      )
    }
    return this.#redrive(request, old, from.deadGeneration, enter(old.attempt + 1))
  }

  compute(request: ComputeRequest): object {
    const { owner, attempt, from, position, outputs } = request
    const old = this.#get(request)
    const next = { ...old, state: 'computed', owner, attempt, shown: { owner, attempt, position, outputs } }
    const isMine = old.state === 'computed' && old.owner === owner && old.attempt === attempt
    const samePosition = 'position' in old.shown && (old.shown.position as typeof position).offset === position.offset
    return this.#settle(request, meets(old, from), next, isMine && samePosition)
  }

  finish(ref: FinishRequest): object {
    const { state } = this.#get(ref)
    const isEnd = state === 'computed' || state === 'done'
    if (isEnd && ref.hasJournal === true) this.#journals.delete(keyOf(ref))
    const isJoin = ref.handlingId === joinHandlingId(this.#agent, ref.flowId) && this.#joins.has(ref.flowId)
    if (isJoin && isEnd) this.#fired.add(ref.flowId)
    return this.#settle(ref, state === 'computed', { ...ABSENT, state: 'done' }, state === 'done')
  }

  hand(request: HandlingRef & { from: From; kind: HandedKind; attempt: number }): object {
    const { from, kind, attempt } = request
    const old = this.#get(request)
    const next = { ...old, state: 'handed', attempt, shown: { kind, attempt } }
    const isSame = old.state === 'handed' && old.attempt === attempt && 'kind' in old.shown && old.shown.kind === kind
    return this.#settle(request, meets(old, from), next, isSame)
  }

  bury(request: BuryRequest): object {
    const { from, note } = request
    const old = this.#get(request)
    const isUnpublished = typeof from === 'object' && 'computedBy' in from
    const holder =
      from === 'absent' ? ABSENT : 'owner' in from ? from : { owner: from.computedBy, attempt: from.attempt }
    const { owner, attempt } = holder
    const generation = old.generation + 1
    const shown = { generation, unsettled: { owner, note } }
    const result = isUnpublished ? { result: old.shown } : {}
    const next = { state: 'dead', owner, attempt, generation, shown, ...result }
    const isComputed = old.state === 'computed' && old.owner === owner && old.attempt === attempt
    const isMine = old.state === 'dead' && old.owner === owner && old.attempt === attempt
    const isRepeat = isMine && isUnpublished === (old.result !== undefined)
    return this.#settle(request, isUnpublished ? isComputed : meets(old, from), next, isRepeat)
  }

  settle(request: HandlingRef & { generation: number }): object {
    const { generation } = request
    const old = this.#get(request)
    const isDead = old.state === 'dead' && old.generation === generation
    return this.#settle(request, isDead, { ...old, shown: { generation } }, false)
  }

  release(request: HandlingRef & { owner: string; attempt: number }): object {
    const { attempt } = request
    const old = this.#get(request)
    const next = { ...old, owner: '', shown: { ...old.shown, owner: '', attempt } }
    return this.#settle(request, meets(old, request), next, meets(old, { owner: '', attempt }))
  }

  writeJournal(request: JournalRequest): object {
    const { name, value } = request
    const accepted = meets(this.#get(request), request)
    if (accepted) this.#journals.set(keyOf(request), new Map([...this.readJournal(request), [name, value]]))
    return { accepted, current: this.read(request) }
  }

  readJournal(ref: HandlingRef): ReadonlyMap<string, Buffer> {
    return this.#journals.get(keyOf(ref)) ?? new Map()
  }

  join({ flowId, topics, member }: JoinRequest): object {
    const members = this.#joins.get(flowId) ?? new Map<string, JoinMember>()
    this.#joins.set(flowId, members)
    const first = members.get(member.topic)
    if (first === undefined) members.set(member.topic, member)
    const result = first === undefined ? 'recorded' : first.eventId === member.eventId ? 'already' : 'late'
    const have = topics.filter((topic) => members.has(topic))
    const isShown = have.length === topics.length && !this.#fired.has(flowId)
    return isShown ? { result, have, members: have.map((topic) => members.get(topic)) } : { result, have }
  }

  #redrive(request: ClaimRequest, old: Entry, deadGeneration: number, claimed: Entry): object {
    const { owner, attempt } = claimed
    const { result, ...rest } = old
    const computed = { ...rest, state: 'computed', owner, attempt, shown: { ...result, owner, attempt } }
    const isThisGeneration = old.generation === deadGeneration
    const isMine = (old.state === 'claimed' || old.state === 'computed') && old.owner === owner
    return this.#settle(
      request,
      old.state === 'dead' && isThisGeneration && !('unsettled' in old.shown),
      result === undefined ? claimed : computed,
      isMine && isThisGeneration,
    )
  }

  #get(ref: HandlingRef): Entry {
    return this.#entries.get(keyOf(ref)) ?? ABSENT
  }

  #settle(ref: HandlingRef, isMet: boolean, next: Entry, isRepeat: boolean): object {
    if (isMet) this.#entries.set(keyOf(ref), next)
    return { accepted: isMet || isRepeat, current: this.read(ref) }
  }
}

function keyOf({ flowId, handlingId }: HandlingRef): string {
  return `${flowId} ${handlingId}`
}

function meets(old: Entry, from: From): boolean {
  if (from === 'absent') return old.state === 'absent'
  return old.state === 'claimed' && old.owner === from.owner && old.attempt === from.attempt
}
