/**
 * Reads topics for a recovery, each partition once: a second look goes on where the first has ended. Partitions are read side by side,
 * records of one in their order.
 */
import type { Broker, BrokerRecord, TopicPartition } from '../ports/broker.ts'

/** A record and where it lies. */
export interface ScannedRecord extends BrokerRecord, TopicPartition {}

/** Where reading of a topic begins. Absent partitions, and no origin at all: at their first record. */
export type Origin = ReadonlyMap<number, number>

/** How far a scan has come. */
export interface ScanProgress {
  readonly topic: string
  /** Records that were read, and those that there are to read. */
  readonly read: number
  readonly total: number
}

export interface LogScanOptions {
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  /** Told after every batch; what it throws ends the scan. */
  readonly onProgress: (progress: ScanProgress) => Promise<void>
}

/** Consumed in pieces of so many records: large enough to share a round trip to the store. */
const MAX_PIECE = 500
/** Partitions that are read at a time. */
const MAX_SIDE_BY_SIDE = 4

/** See the file's head. One per recovery. */
export class LogScan {
  readonly #options: LogScanOptions
  readonly #next = new Map<string, number>()
  #topics: ReadonlySet<string> | undefined

  constructor(options: LogScanOptions) {
    this.#options = options
  }

  /** First and next offset per partition; none where the topic does not exist. */
  async offsets(topic: string): Promise<readonly { partition: number; startOffset: number; endOffset: number }[]> {
    const { admin } = this.#options.broker
    this.#topics ??= new Set(await admin.listTopics())
    return this.#topics.has(topic) ? admin.offsets(topic) : []
  }

  /** Where the records of a time begin. */
  async since(topic: string, atMs: number): Promise<Origin> {
    if ((await this.offsets(topic)).length === 0) return new Map()
    const offsets = await this.#options.broker.admin.offsetsAt(topic, Math.max(0, atMs))
    return new Map(offsets.map(({ partition, offset }) => [partition, offset]))
  }

  /** Behind the last record: nothing that stands there is wanted. */
  async end(topic: string): Promise<Origin> {
    return new Map((await this.offsets(topic)).map(({ partition, endOffset }) => [partition, endOffset]))
  }

  /** Hands every record to `see`, in pieces. Keys and values may be slices of larger buffers: copy what is kept. */
  async each(topic: string, origin: Origin, see: (piece: readonly ScannedRecord[]) => Promise<void>): Promise<void> {
    const ranges = (await this.offsets(topic)).map(({ partition, startOffset, endOffset }) => {
      const from = this.#next.get(`${topic}/${partition}`) ?? origin.get(partition) ?? startOffset
      return { topic, partition, fromOffset: Math.max(from, startOffset), toOffset: endOffset }
    })
    const open = ranges.filter(({ fromOffset, toOffset }) => fromOffset < toOffset)
    const total = open.reduce((sum, { fromOffset, toOffset }) => sum + toOffset - fromOffset, 0)
    let read = 0
    const readOne = async (range: (typeof open)[number]): Promise<void> => {
      let next = range.fromOffset
      for await (const batch of this.#options.broker.reader.read(range)) {
        for (let at = 0; at < batch.length; at += MAX_PIECE)
          await see(batch.slice(at, at + MAX_PIECE).map((record) => placed(record, range)))
        const last = batch.at(-1)?.offset ?? next - 1
        read += last + 1 - next
        next = last + 1
        await this.#options.onProgress({ topic, read, total })
      }
      this.#next.set(`${topic}/${range.partition}`, range.toOffset)
    }
    await sideBySide(open, MAX_SIDE_BY_SIDE, readOne)
  }

  /** Timestamp of the first record at or behind an offset; undefined when there is none. */
  async timestampAt(
    { topic, partition }: TopicPartition,
    offset: number,
    endOffset: number,
  ): Promise<number | undefined> {
    if (offset >= endOffset) return undefined
    const range = { topic, partition, fromOffset: offset, toOffset: endOffset }
    for await (const batch of this.#options.broker.reader.read(range)) {
      const [first] = batch
      if (first !== undefined) return first.timestampMs
    }
    return undefined
  }
}

function placed(record: BrokerRecord, { topic, partition }: TopicPartition): ScannedRecord {
  const { offset, timestampMs, key, value, headers } = record
  return { topic, partition, offset, timestampMs, key, value, headers }
}

/** Runs `work` for all items, at most `limit` of them at a time. */
export async function sideBySide<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values()
  const run = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, run))
}
