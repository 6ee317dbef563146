/**
 * Takes the records of archived topics off the log before their topics forget them. Nobody's group is joined: a partition of theirs
 * belongs to whoever has a certain partition of the facts, and when two believe that, the position lets one of them write.
 */
import { decodeEnvelope, FACTS_TOPIC } from '../../contracts/index.ts'
import { partitionOfFlow, type Broker, type BrokerRecord, type Clock, type Logger } from '../../runtime/internal.ts'
import type { ArchivedTopic, ArchiveRows, BodyRow } from './archive-rows.ts'
import { DAY_MS } from './days.ts'

/** What one partition holds now. */
interface Held {
  readonly partition: number
  readonly startOffset: number
  readonly endOffset: number
}

export interface ArchiverOptions {
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly rows: ArchiveRows
  readonly topics: readonly ArchivedTopic[]
  readonly clock: Clock
  readonly log: Logger
  /** Keys, values and headers of one transaction; a single record may be larger. @default 4194304 */
  readonly maxBatchBytes?: number
  /** @default 5000 */
  readonly maxBatchRecords?: number
}

/** Of one topic, of what this instance has looked at. */
export interface ArchiveFigures {
  /** Records stored since the start. */
  stored: number
  /** Records that had left the log before they were stored. */
  lost: number
  /** Records that were not stored at the last look. */
  lag: number
}

/** See the file's head. */
export class Archiver {
  readonly #options: Required<ArchiverOptions>
  /** Next offset to take, by `topic/partition`, as far as it is known. */
  readonly #next = new Map<string, number>()
  readonly #figures = new Map<string, ArchiveFigures>()
  readonly #told = new Set<string>()

  constructor(options: ArchiverOptions) {
    this.#options = { maxBatchBytes: 4_194_304, maxBatchRecords: 5_000, ...options }
  }

  get figures(): ReadonlyMap<string, Readonly<ArchiveFigures>> {
    return this.#figures
  }

  /**
   * Takes one batch of each partition that goes with these partitions of the facts. True when there is more to take.
   * @throws LABAN_LEDGER_UNAVAILABLE, LABAN_BROKER_UNAVAILABLE
   */
  async round(factPartitions: readonly number[]): Promise<boolean> {
    const { broker, topics } = this.#options
    if (topics.length === 0 || factPartitions.length === 0) return false
    const existing = new Set(await broker.admin.listTopics())
    const { length: shares } = await broker.admin.offsets(FACTS_TOPIC)
    const ours = new Set(factPartitions)
    let hasMore = false
    for (const topic of topics) {
      if (!existing.has(topic.topic)) continue
      const first = partitionOfFlow(topic.topic, shares)
      const held = (await broker.admin.offsets(topic.topic)).filter(({ partition }) =>
        ours.has((first + partition) % shares),
      )
      let lag = 0
      // One by one: facts come first, and both write through the same few connections.
      for (const each of held) lag += await this.#take(topic, each)
      this.#figuresOf(topic.topic).lag = lag
      if (lag > 0) hasMore = true
    }
    return hasMore
  }

  /** Takes one batch of a partition; the answer is how many records were left. */
  async #take({ topic, keepMs }: ArchivedTopic, { partition, startOffset, endOffset }: Held): Promise<number> {
    const { rows } = this.#options
    const place = `${topic}/${partition}`
    const next = this.#next.get(place) ?? (await rows.nextOffset(topic, partition, startOffset))
    this.#next.set(place, next)
    if (next > endOffset) this.#tellShrunken(place, next, endOffset)
    if (next >= endOffset) return 0
    const fromOffset = Math.max(next, startOffset)
    const { records, toOffset } = await this.#read(topic, partition, { fromOffset, endOffset })
    const kept = records
      .map((record) => this.#rowOf(topic, partition, record))
      .filter((row) => this.#isKept(row, keepMs))
    if (!(await rows.append(topic, kept, { partition, fromOffset: next, toOffset }))) {
      // Somebody else was here: where to go on says the ledger.
      this.#next.delete(place)
      return endOffset - toOffset
    }
    this.#next.set(place, toOffset)
    const figures = this.#figuresOf(topic)
    figures.stored += kept.length
    if (startOffset > next) this.#tellLost(place, startOffset - next, figures)
    return endOffset - toOffset
  }

  async #read(
    topic: string,
    partition: number,
    { fromOffset, endOffset }: { readonly fromOffset: number; readonly endOffset: number },
  ): Promise<{ readonly records: readonly BrokerRecord[]; readonly toOffset: number }> {
    const { broker, maxBatchBytes, maxBatchRecords } = this.#options
    const records: BrokerRecord[] = []
    let bytes = 0
    for await (const batch of broker.reader.read({ topic, partition, fromOffset, toOffset: endOffset })) {
      for (const record of batch) {
        records.push(copyOf(record))
        bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
        if (bytes >= maxBatchBytes || records.length >= maxBatchRecords) return { records, toOffset: record.offset + 1 }
      }
    }
    return { records, toOffset: endOffset }
  }

  #rowOf(topic: string, partition: number, record: BrokerRecord): BodyRow {
    const { offset } = record
    // A table is made for each day, so a stranger's idea of the time must not reach far ahead.
    const timestampMs = Math.min(Math.max(0, record.timestampMs), this.#options.clock.nowMs() + DAY_MS)
    const { id, flowId } = decodeEnvelope(record.headers, { topic, partition, offset, timestampMs })
    return { ...record, topic, partition, timestampMs, eventId: id, flowId }
  }

  #isKept({ timestampMs }: BodyRow, keepMs: number): boolean {
    return keepMs === -1 || timestampMs >= this.#options.clock.nowMs() - keepMs
  }

  #figuresOf(topic: string): ArchiveFigures {
    const known = this.#figures.get(topic) ?? { stored: 0, lost: 0, lag: 0 }
    this.#figures.set(topic, known)
    return known
  }

  #tellLost(place: string, lost: number, figures: ArchiveFigures): void {
    figures.lost += lost
    this.#options.log.error('records have left the log before they were archived', { place, lost })
  }

  #tellShrunken(place: string, archivedUpTo: number, endOffset: number): void {
    if (this.#told.has(place)) return
    this.#told.add(place)
    this.#options.log.error('a topic ends before what was archived of it, as if it had been deleted and made again', {
      ...{ place, archivedUpTo, endOffset },
    })
  }
}

/** What the reader hands out is reused. */
function copyOf({ key, value, headers, ...record }: BrokerRecord): BrokerRecord {
  return {
    ...record,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, header]) => [name, Buffer.isBuffer(header) ? Buffer.from(header) : header]),
    ),
  }
}
