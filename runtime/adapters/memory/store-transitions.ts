/**
 * The transitions of one handling as pure functions (docs/design/states.md). Each answers what may be stored next;
 * repeating a transition of one's own that has already taken effect is accepted and changes nothing.
 */
import type {
  BuryRequest,
  ClaimRequest,
  ComputeRequest,
  From,
  HandedKind,
  HandlingState,
  InputPosition,
} from '../../ports/claim-store.ts'

/** What is kept of one handling: its visible state, plus what a later take-over or redrive counts on from. */
export type StoredHandling =
  | {
      readonly state: 'claimed'
      readonly owner: string
      readonly attempt: number
      readonly generation: number
      readonly deaths?: number
    }
  | {
      readonly state: 'computed'
      readonly owner: string
      readonly attempt: number
      readonly generation: number
      readonly position: InputPosition
      readonly outputs: Buffer
    }
  | { readonly state: 'done' }
  | { readonly state: 'handed'; readonly kind: HandedKind; readonly attempt: number; readonly generation: number }
  | {
      readonly state: 'dead'
      readonly owner: string
      readonly attempt: number
      readonly generation: number
      readonly note?: Buffer
      /** A result that could not be published. */
      readonly result?: { readonly position: InputPosition; readonly outputs: Buffer }
    }

/** `next` is what to store; without it an accepted transition has taken effect before. */
export interface Verdict {
  readonly accepted: boolean
  readonly next?: StoredHandling
}

type Stored = StoredHandling | undefined

const REFUSED: Verdict = { accepted: false }
const REPEATED: Verdict = { accepted: true }

/** The state as the port shows it. */
export function visibleState(stored: Stored): HandlingState {
  if (stored === undefined) return { state: 'absent' }
  switch (stored.state) {
    case 'claimed':
      return { state: 'claimed', owner: stored.owner, attempt: stored.attempt, ...counted(stored.deaths) }
    case 'computed': {
      const { owner, attempt, position, outputs } = stored
      return { state: 'computed', owner, attempt, position, outputs }
    }
    case 'done':
      return { state: 'done' }
    case 'handed':
      return { state: 'handed', kind: stored.kind, attempt: stored.attempt }
    case 'dead':
      return { state: 'dead', generation: stored.generation, ...unsettledIn(stored) }
  }
}

function counted(deaths = 0): { deaths?: number } {
  return deaths === 0 ? {} : { deaths }
}

function unsettledIn({ owner, note }: { owner: string; note?: Buffer }): {
  unsettled?: { owner: string; note: Buffer }
} {
  return note === undefined ? {} : { unsettled: { owner, note } }
}

/**
 * Enters `claimed`: on nothing, from the exact claim that is taken over, from the exact hand-over, or from the dead letter of a
 * generation.
 */
export function claim(stored: Stored, { owner, from, deaths }: ClaimRequest): Verdict {
  if (from !== 'absent' && 'deadGeneration' in from) return redrive(stored, owner, from.deadGeneration)
  const attempt = from === 'absent' ? 1 : from.attempt + 1
  const isMet = from !== 'absent' && 'handed' in from ? wasHanded(stored, from) : meets(stored, from)
  const isHanded = from !== 'absent' && 'handed' in from
  if (isMet) {
    const generation = generationOf(stored)
    return accept({ state: 'claimed', owner, attempt, generation, ...counted(isHanded ? 0 : deaths) })
  }
  const isRepeat =
    stored?.state === 'claimed' &&
    stored.owner === owner &&
    stored.attempt === attempt &&
    (from !== 'absent' || (stored.generation === 0 && (stored.deaths ?? 0) === (deaths ?? 0)))
  return isRepeat ? REPEATED : REFUSED
}

function wasHanded(stored: Stored, { handed, attempt }: { handed: HandedKind; attempt: number }): boolean {
  return stored?.state === 'handed' && stored.kind === handed && stored.attempt === attempt
}

function redrive(stored: Stored, owner: string, generation: number): Verdict {
  if (stored?.state === 'dead' && stored.generation === generation && stored.note === undefined) {
    const attempt = stored.attempt + 1
    if (stored.result !== undefined) return accept({ state: 'computed', owner, attempt, generation, ...stored.result })
    return accept({ state: 'claimed', owner, attempt, generation })
  }
  const isTaken = stored?.state === 'claimed' || stored?.state === 'computed'
  const isRepeat = isTaken && stored.owner === owner && stored.generation === generation
  return isRepeat ? REPEATED : REFUSED
}

/** Enters `computed`. One's own means the same owner, attempt and position; the bytes stored first stay. */
export function compute(stored: Stored, { owner, attempt, from, position, outputs }: ComputeRequest): Verdict {
  if (meets(stored, from)) {
    const copy = Buffer.from(outputs)
    return accept({ state: 'computed', owner, attempt, generation: generationOf(stored), position, outputs: copy })
  }
  const isRepeat =
    stored?.state === 'computed' &&
    stored.owner === owner &&
    stored.attempt === attempt &&
    isSamePosition(stored.position, position)
  return isRepeat ? REPEATED : REFUSED
}

/** Enters `done` from `computed`, by whoever published the recorded bytes. */
export function finish(stored: Stored): Verdict {
  if (stored?.state === 'computed') return accept({ state: 'done' })
  return stored?.state === 'done' ? REPEATED : REFUSED
}

/** Enters `handed`. */
export function hand(stored: Stored, request: { from: From; kind: HandedKind; attempt: number }): Verdict {
  const { from, kind, attempt } = request
  if (meets(stored, from)) return accept({ state: 'handed', kind, attempt, generation: generationOf(stored) })
  return stored?.state === 'handed' && stored.kind === kind && stored.attempt === attempt ? REPEATED : REFUSED
}

/** Enters `dead` with the next generation. */
export function bury(stored: Stored, { from, note }: BuryRequest): Verdict {
  const attempt = from === 'absent' ? 0 : from.attempt
  const owner = from === 'absent' ? '' : 'owner' in from ? from.owner : from.computedBy
  const dead = { state: 'dead', owner, attempt, generation: generationOf(stored) + 1, note: Buffer.from(note) } as const
  const isResult = from !== 'absent' && 'computedBy' in from
  if (!isResult) {
    if (meets(stored, from)) return accept(dead)
  } else if (stored?.state === 'computed' && stored.owner === owner && stored.attempt === attempt) {
    return accept({ ...dead, result: { position: stored.position, outputs: stored.outputs } })
  }
  const isMine = stored?.state === 'dead' && stored.owner === owner && stored.attempt === attempt
  return isMine && isResult === (stored.result !== undefined) ? REPEATED : REFUSED
}

/** Drops the note of a dead letter. */
export function settle(stored: Stored, { generation }: { generation: number }): Verdict {
  if (stored?.state !== 'dead' || stored.generation !== generation) return REFUSED
  if (stored.note === undefined) return REPEATED
  const { owner, attempt, result } = stored
  return accept({ state: 'dead', owner, attempt, generation, ...(result === undefined ? {} : { result }) })
}

/** Whether a journal may be written: by the exact claim only. */
export function writeJournal(stored: Stored, { owner, attempt }: { owner: string; attempt: number }): Verdict {
  return meets(stored, { owner, attempt }) ? REPEATED : REFUSED
}

/** Empties the owner of one's own claim. */
export function release(stored: Stored, { owner, attempt }: { owner: string; attempt: number }): Verdict {
  if (stored?.state !== 'claimed' || stored.attempt !== attempt) return REFUSED
  if (stored.owner === owner) return accept({ ...stored, owner: '' })
  return stored.owner === '' ? REPEATED : REFUSED
}

function accept(next: StoredHandling): Verdict {
  return { accepted: true, next }
}

function meets(stored: Stored, from: From): boolean {
  if (from === 'absent') return stored === undefined
  return stored?.state === 'claimed' && stored.owner === from.owner && stored.attempt === from.attempt
}

function generationOf(stored: Stored): number {
  return stored !== undefined && 'generation' in stored ? stored.generation : 0
}

function isSamePosition(a: InputPosition, b: InputPosition): boolean {
  return a.topic === b.topic && a.partition === b.partition && a.offset === b.offset
}
