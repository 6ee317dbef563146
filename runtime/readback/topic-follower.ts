/** Reads what is appended to a topic from now on, look by look. When more has come than one look can take, only the newest is read and counts for all. */
import type { BrokerRecord, TopicPartition } from '../ports/broker.ts'
import { rangesOf, type LogSource } from './platform-records.ts'

/** Records of one partition that came since the last look. */
export interface FollowedRecords extends TopicPartition {
  readonly records: readonly BrokerRecord[]
  /** Each record stands for so many; 1 unless some were passed over. */
  readonly weight: number
}

/** See the file's head. */
export class TopicFollower {
  readonly #broker: LogSource['broker']
  readonly #topic: string
  readonly #maxRecords: number
  #next: Map<number, number> | undefined

  /** `maxRecords` are read of one partition in one look. */
  constructor(broker: LogSource['broker'], topic: string, maxRecords: number) {
    this.#broker = broker
    this.#topic = topic
    this.#maxRecords = maxRecords
  }

  /** Nothing at the first look, which only remembers the ends. */
  async look(): Promise<readonly FollowedRecords[]> {
    const ranges = await rangesOf(this.#broker, this.#topic)
    const before = this.#next
    this.#next = new Map(ranges.map(({ partition, toOffset }) => [partition, toOffset]))
    if (before === undefined) return []
    return Promise.all(
      ranges.map(({ partition, fromOffset, toOffset }) =>
        this.#read(partition, Math.max(before.get(partition) ?? fromOffset, fromOffset), toOffset),
      ),
    )
  }

  async #read(partition: number, fromOffset: number, toOffset: number): Promise<FollowedRecords> {
    const at = { topic: this.#topic, partition }
    const first = Math.max(fromOffset, toOffset - this.#maxRecords)
    const records: BrokerRecord[] = []
    if (first < toOffset)
      for await (const batch of this.#broker.reader.read({ ...at, fromOffset: first, toOffset })) records.push(...batch)
    return { ...at, records, weight: first === fromOffset ? 1 : (toOffset - fromOffset) / (toOffset - first) }
  }
}
