/**
 * Keeps the order of a key while one of its events is retried or lies among the dead letters: its successors wait on the log and go on
 * one by one. The rule it keeps: an event runs only when nothing of its key waits before it.
 */
import { agentTopic } from '../../contracts/contract.ts'
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { StoredRecord } from '../../contracts/record-format.ts'
import type { Appended, Broker, BrokerRecord, OutgoingRecord, TopicPartition } from '../ports/broker.ts'
import { delay, type Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type {
  LanePlace,
  NextParked,
  ParkedEntry,
  ParkingAnswer,
  ParkingCall,
  ParkingStore,
} from '../ports/parking-store.ts'
import { failedRecord, forgottenAtMs, parkedBody, parkedPlace, parkedRecord, parkedTombstone } from './parked-record.ts'

export interface ParkingOptions {
  readonly agent: string
  readonly store: ParkingStore
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds for which dead letters are kept; -1 for ever. */
  readonly deadLettersKeptMs: number
  /** Told once when the store stops answering, and once when it answers again. */
  readonly onAvailability: (isAvailable: boolean, error?: unknown) => void
  /** Aborted when the process gives up waiting for servers. */
  readonly signal: AbortSignal
}

/** A record that comes from a lane; `home` is the hold on its partition. */
export interface LaneRecord extends TopicPartition {
  readonly key: Buffer | null
  readonly home: object
}

/** An event whose turn it is, with its place and its body. */
export interface Released {
  readonly place: LanePlace
  readonly body: StoredRecord
}

type Append = (records: readonly OutgoingRecord[]) => Promise<readonly Appended[]>

/** A dead letter that somebody redrives at the last moment runs before its successors do. */
const FORGOTTEN_MARGIN_MS = 3_600_000
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 2_000

/** See the file's head. One per agent and process. */
export class Parking {
  readonly #options: ParkingOptions
  /** Per hold on a partition, the keys of which something may wait. Only who holds a partition adds to it. */
  readonly #waiting = new WeakMap<object, Set<string>>()
  readonly #loading = new WeakMap<object, Promise<void>>()

  constructor(options: ParkingOptions) {
    this.#options = options
  }

  /** True once {@link load} has ended for this hold on a partition. */
  isLoaded(home: object): boolean {
    return this.#waiting.has(home)
  }

  /** Learns of which keys something waits. @throws LABAN_SHUTDOWN */
  load(home: TopicPartition): Promise<void> {
    const known = this.#loading.get(home)
    if (known !== undefined) return known
    const loading = this.#load(home)
    this.#loading.set(home, loading)
    loading.catch(() => this.#loading.delete(home))
    return loading
  }

  /** True when something of the record's key may wait: it must be {@link admit}ted before it runs. */
  mayWait({ home, key }: LaneRecord): boolean {
    if (key === null) return false
    const keys = this.#waiting.get(home)
    return keys !== undefined && keys.size > 0 && keys.has(key.toString('latin1'))
  }

  /** Keys of a partition of which something waits now. @throws LABAN_STORE_UNAVAILABLE */
  async countKeys({ topic, partition }: TopicPartition): Promise<number> {
    return (await this.#options.store.keys({ topic, partition }))?.length ?? 0
  }

  /** Another owner may have let something of this key wait. */
  suspect({ home, key }: LaneRecord): void {
    if (key !== null) this.#waiting.get(home)?.add(key.toString('latin1'))
  }

  /** Whether the event may run. If not it is among those that wait, and {@link store} must follow. */
  async admit(place: LanePlace, record: LaneRecord): Promise<boolean> {
    const { result } = await this.#ask({ ...placeOf(place), op: 'admit' })
    if (result === 'free') this.#waiting.get(record.home)?.delete(place.key.toString('latin1'))
    return result !== 'park'
  }

  /**
   * The event has failed: its successors wait from now on, behind a dead letter only for as long as that is kept. The record to append
   * with what it is handed over in.
   */
  async block(place: LanePlace, record: LaneRecord, isDead: boolean): Promise<OutgoingRecord> {
    const { agent, clock, deadLettersKeptMs } = this.#options
    await this.#ask({ ...placeOf(place), op: 'block' })
    this.suspect(record)
    const isForgotten = isDead && deadLettersKeptMs >= 0
    return failedRecord(agent, place, isForgotten ? clock.nowMs() + deadLettersKeptMs + FORGOTTEN_MARGIN_MS : undefined)
  }

  /** Failed events of a partition whose dead letters are forgotten by now: nothing can become of them, so nothing is to wait for them. */
  async forgotten(at: TopicPartition): Promise<readonly LanePlace[]> {
    const nowMs = this.#options.clock.nowMs()
    const found = new Map<string, LanePlace>()
    await this.#untilAnswered(async () => {
      found.clear()
      for await (const { key, value, headers } of this.#records(at)) {
        const place = key === null ? undefined : parkedPlace(key)
        if (place === undefined || place.topic !== at.topic || place.partition !== at.partition) continue
        const name = nameOf(place)
        if (value !== null && forgottenAtMs(headers) <= nowMs) found.set(name, copyOf(place))
        else found.delete(name)
      }
    })
    return [...found.values()]
  }

  /** Puts an event that must wait on the log. The answer is the event whose turn it is, if that is this one. */
  async store(place: LanePlace, body: StoredRecord, append: Append): Promise<Released | undefined> {
    const [appended] = await append([parkedRecord(this.#options.agent, place, body)])
    const parkedOffset = appended?.offset ?? -1
    const answer = await this.#ask({ ...placeOf(place), op: 'store', parkedOffset })
    return answer.result === 'done' && answer.next?.offset === place.offset
      ? { place: placeOf(place), body }
      : undefined
  }

  /** The event is done or given up: the tombstone of its record, and the event whose turn it is now. */
  async leave(place: LanePlace): Promise<{ readonly tombstone: OutgoingRecord; readonly next: Released | undefined }> {
    const answer = await this.#ask({ ...placeOf(place), op: 'leave' })
    const next =
      answer.result === 'done' && answer.next !== undefined ? await this.#read(place, answer.next) : undefined
    return { tombstone: parkedTombstone(this.#options.agent, place), next }
  }

  async #load(home: TopicPartition): Promise<void> {
    const { store } = this.#options
    for (;;) {
      const keys = await this.#untilAnswered(() => store.keys(home))
      if (keys !== undefined) {
        this.#waiting.set(home, new Set(keys.map((key) => key.toString('latin1'))))
        return
      }
      await this.#rebuild(home)
    }
  }

  async #ask(call: ParkingCall): Promise<ParkingAnswer> {
    for (;;) {
      const answer = await this.#untilAnswered(() => this.#options.store.ask(call))
      if (answer.result !== 'lost') return answer
      await this.#rebuild(call)
    }
  }

  /** The index of a partition is not there: what waits is read from the log. */
  async #rebuild(at: TopicPartition): Promise<void> {
    const entries = await this.#untilAnswered(() => this.#entriesOf(at))
    if (entries.length > 0)
      this.#options.log.warn('order of waiting events read back from the log', {
        ...partitionOf(at),
        count: entries.length,
      })
    await this.#untilAnswered(() => this.#options.store.fill(at, entries))
  }

  async #entriesOf(at: TopicPartition): Promise<readonly ParkedEntry[]> {
    const entries = new Map<string, ParkedEntry>()
    for await (const { offset: parkedOffset, key, value } of this.#records(at)) {
      const place = key === null ? undefined : parkedPlace(key)
      if (place === undefined || place.topic !== at.topic || place.partition !== at.partition) continue
      const name = nameOf(place)
      if (value === null) entries.delete(name)
      else {
        const stored = parkedBody(value) === undefined ? {} : { parkedOffset }
        entries.set(name, { key: Buffer.from(place.key), offset: place.offset, ...stored })
      }
    }
    return [...entries.values()]
  }

  async *#records(at: TopicPartition): AsyncGenerator<BrokerRecord> {
    const { broker, agent } = this.#options
    const topic = agentTopic(agent, 'parked')
    const range = (await broker.admin.offsets(topic)).find(({ partition }) => partition === at.partition)
    if (range === undefined || range.startOffset >= range.endOffset) return
    const { partition, startOffset: fromOffset, endOffset: toOffset } = range
    for await (const batch of broker.reader.read({ topic, partition, fromOffset, toOffset })) yield* batch
  }

  /** The body of the event that is next. Compaction may have moved on from where it was stored first. */
  async #read(lane: LanePlace, { offset, parkedOffset }: NextParked): Promise<Released | undefined> {
    const { broker, agent, log } = this.#options
    const place = { ...placeOf(lane), offset }
    const topic = agentTopic(agent, 'parked')
    const { partition } = place
    const read = async (): Promise<StoredRecord | undefined> => {
      const exact = { topic, partition, fromOffset: parkedOffset, toOffset: parkedOffset + 1 }
      for await (const batch of broker.reader.read(exact)) {
        for (const { offset: at, value } of batch) if (at === parkedOffset && value !== null) return parkedBody(value)
      }
      return this.#search(place)
    }
    const body = await this.#untilAnswered(read)
    if (body === undefined) log.warn('a waiting event has no record; its own lane runs it', { ...place, key: '' })
    return body === undefined ? undefined : { place, body }
  }

  async #search(place: LanePlace): Promise<StoredRecord | undefined> {
    let body: StoredRecord | undefined
    for await (const { key, value } of this.#records(place)) {
      const found = key === null ? undefined : parkedPlace(key)
      if (found?.offset !== place.offset || !found.key.equals(place.key) || found.topic !== place.topic) continue
      body = value === null ? undefined : parkedBody(value)
    }
    return body
  }

  /** Servers that are away are waited for. @throws LABAN_SHUTDOWN */
  async #untilAnswered<T>(call: () => Promise<T>): Promise<T> {
    const { clock, signal, onAvailability } = this.#options
    for (let waitMs = FIRST_RETRY_MS, isAway = false; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      if (signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
      try {
        const answer = await call()
        if (isAway) onAvailability(true)
        return answer
      } catch (error) {
        if (!isLabanError(error) || error.errorClass !== 'retry') throw error
        if (!isAway) onAvailability(false, error)
        isAway = true
        await delay(clock, waitMs / 2 + (waitMs / 2) * clock.random(), signal)
      }
    }
  }
}

function placeOf({ topic, partition, key, offset }: LanePlace): LanePlace {
  return { topic, partition, key, offset }
}

/** Names an event among those of its partition. */
function nameOf({ offset, key }: LanePlace): string {
  return `${offset}|${key.toString('latin1')}`
}

/** For keeping: the key may be a slice of a larger buffer. */
function copyOf(place: LanePlace): LanePlace {
  return { ...placeOf(place), key: Buffer.from(place.key) }
}

function partitionOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}
