/**
 * The journal of one execution of a handling: what was recorded before it, and what it records. Nothing is read or written before
 * the claim is held, and nothing is accepted once it is lost. An entry counts when the store has accepted it under the claim; a
 * durable one also stands on `<agent>.journal`, in that order, so that no fenced owner reaches the log.
 */
import { hash } from 'node:crypto'
import { LabanError } from '../../contracts/errors.ts'
import type { OutgoingRecord } from '../ports/broker.ts'
import type { Cancellation } from '../ports/cancellation.ts'
import type { HandlingRef, JournalRequest, Transition } from '../ports/claim-store.ts'
import { settledWithin } from '../ports/clock.ts'
import type { ResultStore } from '../ports/result-store.ts'
import { decodeEntry, encodeEntry, type JournalEntry, type KeptResult } from './entry-format.ts'
import { entryRecord } from './journal-records.ts'
import { liveEntries } from './read-journal.ts'

/** The claim that an execution holds. */
export interface JournalClaim {
  readonly owner: string
  readonly attempt: number
  /** True when nothing was stored before: then there is no journal to read. */
  readonly isFirst: boolean
}

export interface HandlingJournalOptions {
  readonly agent: string
  readonly ref: HandlingRef
  /** Takes the claim where it is not held yet. Undefined: somebody else has it, and the execution has been cancelled. */
  readonly claim: () => Promise<JournalClaim | undefined>
  readonly read: (ref: HandlingRef) => Promise<ReadonlyMap<string, Buffer>>
  readonly write: (request: JournalRequest) => Promise<Transition>
  /** Resolves when the records are acknowledged, however long that takes. */
  readonly append: (records: readonly OutgoingRecord[]) => Promise<unknown>
  /** The claim was found taken: the execution is over. */
  readonly onLost: () => void
  /** What the log knows of a handling that the store does not: set while a lost store has not been rebuilt. */
  readonly recall?: (ref: HandlingRef) => Promise<ReadonlyMap<string, Buffer>>
  /** Where results above `maxResultBytes` go; undefined: they are refused. */
  readonly results: ResultStore | undefined
  readonly maxResultBytes: number
}

/** What an attempt says of a step; the claim is added here. */
export type NewEntry = Omit<JournalEntry, 'owner' | 'attempt' | 'generation' | 'result'>

/** A step whose function runs, and the attempt that called it. */
interface RunningCall {
  readonly settling: Promise<unknown>
  readonly by: Cancellation
}

/** See the file's head. One per execution; its attempts share it. */
export class HandlingJournal {
  readonly #options: HandlingJournalOptions
  #opening: Promise<void> | undefined
  #claim: JournalClaim | undefined
  #generation = 0
  #entries = new Map<string, JournalEntry>()
  readonly #calls = new Map<string, RunningCall>()
  readonly #writing = new Map<string, Promise<unknown>>()
  #hasDurable = false

  constructor(options: HandlingJournalOptions) {
    this.#options = options
  }

  /** True once a step has been called: the store may hold a journal. */
  get isUsed(): boolean {
    return this.#opening !== undefined
  }

  /** True once the claim is held and the entries are known. */
  get isOpen(): boolean {
    return this.#claim !== undefined
  }

  /** True once an entry stands on the log: then the outputs have to stand there too before they are published. */
  get hasDurable(): boolean {
    return this.#hasDurable
  }

  /** Everything recorded, by name. */
  get entries(): ReadonlyMap<string, JournalEntry> {
    return this.#entries
  }

  /** How often the handling has been restarted. */
  get generation(): number {
    return this.#generation
  }

  /** Takes the claim and reads what is there, once. @throws LABAN_LEASE_LOST, LABAN_FORMAT_TOO_NEW */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  /**
   * What is recorded under a name. A call that an earlier attempt has under way is waited for, unless that attempt was told to end:
   * a handler that failed beside a running step must not pay for it twice.
   */
  async find(name: string, by: Cancellation): Promise<JournalEntry | undefined> {
    const call = this.#calls.get(name)
    if (call !== undefined && call.by.reason === undefined) await settledWithin(call.settling, { signal: by.signal })
    await this.#writing.get(name)
    return this.#entries.get(name)
  }

  /** Lets later attempts know of a call until it has settled. */
  follow<T>(name: string, by: Cancellation, settling: Promise<T>): Promise<T> {
    const call = { settling, by }
    this.#calls.set(name, call)
    const forget = (): void => {
      if (this.#calls.get(name) === call) this.#calls.delete(name)
    }
    settling.then(forget, forget)
    return settling
  }

  /**
   * Records an entry; the first result of a name stays. Resolves when it counts, with the result that stands already if there is one.
   * @throws LABAN_LEASE_LOST when the claim is gone, LABAN_STEP_RESULT_TOO_LARGE
   */
  async record(entry: NewEntry, text: string | null): Promise<KeptResult | undefined> {
    await this.#writing.get(entry.name)
    const standing = this.#entries.get(entry.name)?.result ?? undefined
    if (standing !== undefined) return standing
    const writing = this.#record(entry, text).finally(() => this.#writing.delete(entry.name))
    // Who asks for the entry must not fail with whoever writes it.
    this.#writing.set(
      entry.name,
      writing.catch(() => undefined),
    )
    await writing
    return undefined
  }

  /** The text of a result. @throws LABAN_STEP_RESULT_MISSING */
  async textOf(name: string, result: KeptResult): Promise<string> {
    if ('text' in result) return result.text
    const bytes = await this.#options.results?.get(result.largeId)
    if (bytes !== undefined) return bytes.toString('utf8')
    throw new LabanError('LABAN_STEP_RESULT_MISSING', { agent: this.#options.agent, step: name, id: result.largeId })
  }

  /** Forgets the results of steps. Effects keep theirs: what was done outside stays done. @throws LABAN_LEASE_LOST */
  async restart(nowMs: number): Promise<void> {
    await this.open()
    this.#generation += 1
    const marks = { order: 0, open: [], besides: false, isDurable: true, begunAtMs: nowMs, durationMs: 0, cost: null }
    await this.#write({ ...this.#owned({ kind: 'restart', name: '', ...marks }), result: null })
    this.#entries = new Map([...this.#entries].filter(([, { kind }]) => kind === 'effect'))
  }

  async #open(): Promise<void> {
    const { claim, read, ref, recall } = this.#options
    this.#claim = await claim()
    if (this.#claim === undefined) throw new LabanError('LABAN_LEASE_LOST')
    const stored = this.#claim.isFirst ? undefined : await read(ref)
    const values = stored === undefined || stored.size === 0 ? await recall?.(ref) : stored
    if (values === undefined || values.size === 0) return
    const all = [...values.values()].map(decodeEntry)
    const live = liveEntries(all)
    this.#generation = live.generation
    this.#entries = new Map(live.entries)
    await this.#adopt(values, all, stored === values)
  }

  /**
   * The owner before may have died between store and log, or the store may have forgotten what the log knows: what counts for us
   * must stand in both.
   */
  async #adopt(values: ReadonlyMap<string, Buffer>, all: readonly JournalEntry[], isFromStore: boolean): Promise<void> {
    const { agent, ref, append } = this.#options
    this.#hasDurable = all.some(({ isDurable }) => isDurable)
    if (!isFromStore) {
      await Promise.all([...values].map(([name, value]) => this.#store(name, value)))
      return
    }
    const durable = all.filter(({ isDurable }) => isDurable).flatMap(({ name }) => values.get(name) ?? [])
    if (durable.length > 0) await append(durable.map((value) => entryRecord(agent, ref, value)))
  }

  async #record(entry: NewEntry, text: string | null): Promise<void> {
    const result = text === null ? null : await this.#place(entry.name, text)
    const kept = { ...this.#owned(entry), result }
    await this.#write(kept)
    this.#entries.set(entry.name, kept)
  }

  async #place(name: string, text: string): Promise<KeptResult> {
    const { results, maxResultBytes, agent, ref } = this.#options
    const bytes = Buffer.byteLength(text)
    if (bytes <= maxResultBytes) return { text }
    if (results === undefined)
      throw new LabanError('LABAN_STEP_RESULT_TOO_LARGE', { agent, step: name, bytes, maxBytes: maxResultBytes })
    const content = Buffer.from(text)
    const largeId = `${agent}/${ref.handlingId}/${hash('sha256', content, 'hex')}`
    await results.put(largeId, content)
    return { largeId, bytes }
  }

  #owned(entry: NewEntry): Omit<JournalEntry, 'result'> {
    const { owner, attempt } = this.#held()
    return { ...entry, owner, attempt, generation: this.#generation }
  }

  async #write(entry: JournalEntry): Promise<void> {
    const { agent, ref, append } = this.#options
    const value = encodeEntry(entry)
    await this.#store(entry.name, value)
    if (!entry.isDurable) return
    this.#hasDurable = true
    await append([entryRecord(agent, ref, value)])
  }

  async #store(name: string, value: Buffer): Promise<void> {
    const { ref, write, onLost } = this.#options
    const { owner, attempt } = this.#held()
    const { accepted } = await write({ ...ref, owner, attempt, name, value })
    if (accepted) return
    onLost()
    throw new LabanError('LABAN_LEASE_LOST')
  }

  #held(): JournalClaim {
    if (this.#claim === undefined) throw new LabanError('LABAN_INVARIANT', { problem: 'a journal without a claim' })
    return this.#claim
  }
}
