/** Puts what was read back into the store, in calls of bounded size; for a recovery that goes through many records. */
import type { HandlingRef, HandlingState } from '../ports/claim-store.ts'
import type { RecoveryStore, RestoredHandling, RestoredMember, RestoredValue } from '../ports/recovery-store.ts'

/** What was put back so far; states that stood there already are counted too. */
export interface PutBackCounts {
  handlings: number
  journals: number
  members: number
}

const MAX_CALL = 500
/** Values of journals and members have bodies: a call must not become too large. */
const MAX_BODY_BYTES = 1_048_576

/** See the file's head. */
export class PutBack {
  readonly #store: RecoveryStore
  readonly counts: PutBackCounts = { handlings: 0, journals: 0, members: 0 }

  constructor(store: RecoveryStore) {
    this.#store = store
  }

  /** What stands now. */
  async states(refs: readonly HandlingRef[]): Promise<readonly HandlingState[]> {
    const found: HandlingState[] = []
    for (const piece of pieces(refs, () => 0)) found.push(...(await this.#store.read(piece)))
    return found
  }

  /** The answers are what stands then. */
  async handlings(handlings: readonly RestoredHandling[]): Promise<readonly HandlingState[]> {
    const standing: HandlingState[] = []
    for (const piece of pieces(handlings, ({ restored }) => ('outputs' in restored ? restored.outputs.length : 0)))
      standing.push(...(await this.#store.restore(piece)))
    this.counts.handlings += handlings.length
    return standing
  }

  async values(values: readonly RestoredValue[]): Promise<void> {
    for (const piece of pieces(values, ({ value }) => value.length)) await this.#store.restoreJournal(piece)
    this.counts.journals += values.length
  }

  async members(members: readonly RestoredMember[]): Promise<void> {
    for (const piece of pieces(members, ({ member }) => member.record.length)) await this.#store.restoreJoins(piece)
    this.counts.members += members.length
  }
}

function pieces<T>(items: readonly T[], bytesOf: (item: T) => number): readonly (readonly T[])[] {
  const cut: T[][] = []
  let bytes = 0
  for (const item of items) {
    let piece = cut.at(-1)
    if (piece === undefined || piece.length >= MAX_CALL || bytes + bytesOf(item) > MAX_BODY_BYTES) {
      piece = []
      cut.push(piece)
      bytes = 0
    }
    piece.push(item)
    bytes += bytesOf(item)
  }
  return cut
}
