/**
 * What was handed over and has not come back: retries, sleeps, parked events and dead letters, as the topics of the agent tell it. Each
 * record names the state that was entered after it; the store keeps the latest.
 */
import { retryTierTopic } from '../../contracts/agent-topics.ts'
import { agentTopic } from '../../contracts/contract.ts'
import { decodeEnvelope, headerText, type ReceivedHeaders, type RecordPosition } from '../../contracts/envelope.ts'
import { eventHeaders } from '../../contracts/event-headers.ts'
import { joinHandlingId, type Uuid } from '../../contracts/ids.ts'
import { decodeRecords } from '../../contracts/record-format.ts'
import type { Agent } from '../agent.ts'
import { parkedBody, parkedPlace } from '../park/parked-record.ts'
import type { RestoredHandling, RestoredMember, RestoredState } from '../ports/recovery-store.ts'
import { encodeBurialNote, noteOfLetter } from '../handle/burial-note.ts'
import { readDeadLetter, readDeadLetterMark } from '../readback/dead-letters.ts'
import { readHandover } from '../retry/handover.ts'
import { encodeMember, RECORDED_AT } from '../admit/member-format.ts'
import { keyText } from '../admit/work-part.ts'
import { readTimer } from '../timers/timer-record.ts'
import type { LogScan, Origin, ScannedRecord } from './log-scan.ts'
import type { PutBack } from './put-back.ts'

/** Handlings that are in somebody's hands: their journals are wanted, however old. */
export interface InHand {
  readonly ids: ReadonlySet<Uuid>
  /** When the oldest of their events was recorded; Infinity when there is none. */
  readonly oldestMs: number
  /** When the oldest record of a retry topic that may be under way was appended; Infinity when there is none. */
  readonly underWayMs: number
}

/** A handling that waits, and when its event was recorded. */
interface Waiting extends RestoredHandling {
  readonly recordedAtMs: number
}

/** A dead letter, whether anything may still become of it, and where it and its copies lie. */
interface Letter {
  waiting: Waiting
  isOpen: boolean
  readonly generation: number
  readonly places: readonly string[]
  readonly atMs: number
  readonly note: Buffer
}

/** See the file's head. One per recovery. */
export class HandedOver {
  readonly #agent: Agent
  readonly #scan: LogScan
  readonly #putBack: PutBack
  /** By event id: the last dead letter. */
  readonly #letters = new Map<Uuid, Letter>()
  /** Places of dead letters that have a fact. */
  readonly #told = new Set<string>()
  /** By the key of the record, by its place. */
  readonly #parked = new Map<string, Waiting>()
  readonly #timers = new Map<string, Waiting>()
  readonly #retries: Waiting[] = []
  #members: RestoredMember[] = []
  #underWayMs = Infinity

  constructor(agent: Agent, scan: LogScan, putBack: PutBack) {
    this.#agent = agent
    this.#scan = scan
    this.#putBack = putBack
  }

  /** What the retry group reads, timers first. */
  get topics(): readonly [timers: string, ...retries: string[]] {
    const { name, retry } = this.#agent
    const tiers = retry.tiersMs.map((delayMs) => retryTierTopic(name, delayMs))
    return [agentTopic(name, 'timers'), agentTopic(name, 'retry.redrive'), ...tiers]
  }

  /** Reads what has come since the last time, and puts it back. `committed` says where the retry group goes on, by topic. */
  async read(committed: (topic: string) => Origin): Promise<InHand> {
    const { name } = this.#agent
    const [timers, ...retries] = this.topics
    await this.#each(agentTopic(name, 'dead-letter'), NO_ORIGIN, (record) => this.#seeLetter(record))
    for (const topic of retries) await this.#each(topic, committed(topic), (record) => this.#seeRetry(record))
    await this.#each(timers, committed(timers), (record) => this.#seeTimer(record))
    await this.#each(agentTopic(name, 'parked'), NO_ORIGIN, (record) => this.#seeParked(record))
    const open = [...this.#letters.values()].filter(({ isOpen }) => isOpen).map((letter) => letter.waiting)
    const waiting = [...this.#parked.values(), ...this.#timers.values(), ...this.#retries]
    await this.#putBack.handlings(waiting)
    await this.#putBack.members(this.#members.splice(0))
    const held = [...open, ...waiting]
    const oldestMs = held.reduce((oldest, { recordedAtMs }) => Math.min(oldest, recordedAtMs), Infinity)
    return { ids: new Set(held.map(({ handlingId }) => handlingId)), oldestMs, underWayMs: this.#underWayMs }
  }

  /** A fact of this dead letter stands on the log. */
  tell(place: string): void {
    this.#told.add(place)
  }

  /**
   * Puts the dead letters back, once the facts since `factsSinceMs` have been told. One without a fact was written by a process that
   * died before it had written that: with its note, whoever meets the event next ends what was begun.
   */
  async putBackLetters(factsSinceMs: number): Promise<void> {
    const all = [...this.#letters.values()]
    const told = new Set(all.filter(({ places }) => places.some((place) => this.#told.has(place))).map(nameOf))
    const letters = all.map((letter) => {
      const { waiting, atMs, isOpen, note } = letter
      const { restored } = waiting
      if (atMs < factsSinceMs || !isOpen || told.has(nameOf(letter)) || restored.state !== 'dead') return waiting
      return { ...waiting, restored: { ...restored, unsettled: { owner: NOBODY, note } } }
    })
    await this.#putBack.handlings(letters)
  }

  #each(topic: string, origin: Origin, see: (record: ScannedRecord) => void): Promise<void> {
    return this.#scan.each(topic, origin, (piece) => {
      for (const record of piece) see(record)
      return Promise.resolve()
    })
  }

  /** A dead letter holds its handling until it has been resolved; those of a join hold its members, too. */
  #seeLetter(record: ScannedRecord): void {
    const mark = readDeadLetterMark(record)
    if (mark !== undefined) {
      const letter = this.#letters.get(mark.eventId)
      if (letter === undefined || mark.mark === 'redriven') return
      letter.isOpen = false
      if (mark.mark === 'resolved') letter.waiting = { ...letter.waiting, restored: { state: 'done' } }
      return
    }
    const letter = readDeadLetter(this.#agent.name, record, record)
    const { eventId, flowId, handlingId, generation, attempts: attempt, origin } = letter
    const restored = { state: 'dead', attempt, generation } as const
    const waiting = { flowId, handlingId, restored, recordedAtMs: origin.timestampMs }
    const copy = this.#letters.get(eventId)
    // Who finished a letter that was begun has written it again.
    const places = copy?.generation === generation ? [...copy.places, letter.place] : [letter.place]
    const note = encodeBurialNote(noteOfLetter(record.headers, letter))
    this.#letters.set(eventId, { waiting, generation, places, note, atMs: record.timestampMs, isOpen: true })
    if (!this.#agent.isJoin) return
    const { value, headers, envelope } = letter
    const key = copyOf(letter.key)
    const part = { ...origin, key, value, headers, envelope, keyText: keyText(key, flowId) }
    this.#members.push({ flowId, member: encodeMember(part), isDone: false })
  }

  #seeRetry({ headers, timestampMs }: ScannedRecord): void {
    this.#underWayMs = Math.min(this.#underWayMs, timestampMs)
    const waiting = this.#handed(headers)
    if (waiting !== undefined) this.#retries.push(waiting)
  }

  #seeTimer(record: ScannedRecord): void {
    const { partition, offset, value } = record
    const note = readTimer(record)
    if (note?.kind === 'ended') this.#timers.delete(`${partition}@${note.offset}`)
    const [wake] = note?.kind === 'set' && value !== null ? decodeRecords(value) : []
    const waiting = wake === undefined ? undefined : this.#handed(wake.headers)
    if (waiting !== undefined) this.#timers.set(`${partition}@${offset}`, waiting)
  }

  /** A record without a body is of an event that has failed: it waits elsewhere. */
  #seeParked({ key, value }: ScannedRecord): void {
    const place = key === null ? undefined : parkedPlace(key)
    if (key === null || place === undefined) return
    const name = key.toString('latin1')
    const body = value === null ? undefined : parkedBody(value)
    this.#parked.delete(name)
    if (body === undefined) return
    const timestampMs = Number(headerText(body.headers, RECORDED_AT) ?? '0')
    const restored = { state: 'handed', kind: 'parked', attempt: 0, generation: 0 } as const
    this.#parked.set(name, this.#waiting(body.headers, { ...place, timestampMs }, restored))
  }

  /** Redrives and releases say nothing of their own: the dead letter does. */
  #handed(headers: ReceivedHeaders): Waiting | undefined {
    const handover = readHandover(headers)
    if (handover === undefined || handover.kind === 'redrive' || handover.kind === 'release') return undefined
    const { kind, attempt, generation, origin } = handover
    return this.#waiting(eventHeaders(headers), origin, { state: 'handed', kind, attempt, generation })
  }

  #waiting(headers: ReceivedHeaders, origin: RecordPosition, restored: RestoredState): Waiting {
    const { id, flowId } = decodeEnvelope(headers, origin)
    const handlingId = this.#agent.isJoin ? joinHandlingId(this.#agent.name, flowId) : id
    return { flowId, handlingId, restored, recordedAtMs: origin.timestampMs }
  }
}

/** An owner that nobody waits for. */
const NOBODY = ''
const NO_ORIGIN: Origin = new Map()

/** A join has a letter for each of its members, and one fact that names one of them. */
function nameOf({ waiting, generation }: Letter): string {
  return `${waiting.handlingId} ${generation}`
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}
