/**
 * The end of what cannot succeed: `dead` with a note -> dead letter -> fact -> settled -> input finished. The rule it keeps: until it is
 * settled the note stands in the store, so that whoever finds it can finish what was begun.
 */
import { accountOf, deadLetterRecord } from '../handle/dead-letter.ts'
import type { Appended, OutgoingRecord } from '../ports/broker.ts'
import type { BuryRequest } from '../ports/claim-store.ts'
import { errorFields } from '../ports/logger.ts'
import { decodeBurialNote, encodeBurialNote, type BurialNote } from '../handle/burial-note.ts'
import type { HandlingDeps } from './deps.ts'
import type { FactParts } from './fact-of.ts'
import type { Ownership } from './ownership.ts'
import type { ExecutionEnd } from './run.ts'
import type { Succession } from './succession.ts'
import type { Work } from './work.ts'

type DeadEnd = Extract<ExecutionEnd, { kind: 'dead' }>

/** `settling` resolves when the input is finished and the handling is settled. */
interface Buried {
  readonly settling: Promise<void>
}

/** Ways to the log; both wait for as long as the broker refuses. */
export interface BurialOutlets {
  readonly append: (records: readonly OutgoingRecord[]) => Promise<readonly Appended[]>
  /** Puts outputs on the log that are not published. */
  readonly keepOutputs: (work: Work, outputs: Buffer) => Promise<void>
  readonly writeFact: (work: Work, fact: FactParts) => Promise<void>
}

/** See the file's head. One per agent and process. */
export class Burial {
  readonly #deps: HandlingDeps
  readonly #succession: Succession
  readonly #outlets: BurialOutlets

  constructor(deps: HandlingDeps, succession: Succession, outlets: BurialOutlets) {
    this.#deps = deps
    this.#succession = succession
    this.#outlets = outlets
  }

  /** Every part of a join becomes a dead letter. Undefined: another owner has the handling, and how it ends is for that one to say. */
  async bury(work: Work, ownership: Ownership, end: DeadEnd): Promise<Buried | undefined> {
    if (this.#deps.dedup && !(await ownership.claim())) return undefined
    return this.#bury(work, ownership.from, end)
  }

  /**
   * The broker does not take the outputs: they are kept, in the store and on the log, and a redrive publishes them. Undefined: somebody
   * else has published them meanwhile.
   */
  async buryResult(
    work: Work,
    result: { readonly computedBy: string; readonly attempt: number; readonly outputs: Buffer },
    end: DeadEnd,
  ): Promise<Buried | undefined> {
    const { computedBy, attempt, outputs } = result
    await this.#outlets.keepOutputs(work, outputs)
    return this.#bury(work, { computedBy, attempt }, end)
  }

  async #bury(work: Work, from: BuryRequest['from'], end: DeadEnd): Promise<Buried | undefined> {
    const { log, admission, dedup } = this.#deps
    const note = this.#noteOf(end)
    let generation = (work.handover?.generation ?? 0) + 1
    if (dedup) {
      const { accepted, current } = await admission.bury({ ...work.ref, from, note: encodeBurialNote(note) })
      if (!accepted || current.state !== 'dead') return undefined
      generation = current.generation
    }
    if (work.handover === undefined) this.#deps.onEnded?.(true)
    log.warn('dead letter', { ...work.ref, ...errorFields(end.error) })
    const place = await this.#write(work, generation, note)
    return { settling: this.#settle(work, generation, note, place).then(() => this.#deps.finish(work.task)) }
  }

  /** Finishes what a dead owner has begun. The input is left as it is. */
  async finishBurial(work: Work, generation: number, bytes: Buffer): Promise<void> {
    const note = decodeBurialNote(bytes)
    this.#deps.log.info('finishes a dead letter that was begun', { ...work.ref, generation, code: note.error.code })
    this.#succession.suspect(work)
    await this.#settle(work, generation, note, await this.#write(work, generation, note))
  }

  #noteOf({ error, attempt, startedAtMs, steps = [], parks = true }: DeadEnd): BurialNote {
    const { agent, instance, clock } = this.#deps
    const who = { agent: agent.name, agentVersion: agent.version, instance }
    const account = accountOf({ ...who, error, attempts: attempt, failedAtMs: clock.nowMs(), parks })
    const { code, message } = error
    return { account, parks, attempt, startedAtMs, error: { code, message }, steps }
  }

  /** Its successors wait from here on. Returns where the first dead letter lies. */
  async #write(work: Work, generation: number, { account, parks }: BurialNote): Promise<string> {
    const reason = { agent: this.#deps.agent.name, generation, handlingId: work.ref.handlingId, account }
    const letters = work.parts.map((part) => deadLetterRecord(part, reason))
    const [appended] = await (parks ? this.#succession.bury(work, letters) : this.#outlets.append(letters))
    return appended === undefined ? '' : `${appended.topic}/${appended.partition}@${appended.offset}`
  }

  async #settle(work: Work, generation: number, note: BurialNote, deadLetter: string): Promise<void> {
    const { parks, attempt, startedAtMs, error, steps } = note
    const detail = { deadLetter }
    await this.#outlets.writeFact(work, { outcome: 'dead-lettered', attempt, startedAtMs, error, steps, detail })
    // A record that is broken does not hold its key; one that has waited for its turn passes it on.
    if (!parks) await this.#succession.pass(work)
    if (this.#deps.dedup) await this.#deps.admission.settle({ ...work.ref, generation })
  }
}
