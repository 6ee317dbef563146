/** Where one member stands in one partition. */
import type { RecordBatch, TopicPartition } from '../../ports/broker.ts'
import type { PartitionLog, ReadLimit } from './log.ts'

/** A name for a partition, unique within a broker. */
export function positionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** A place in a partition, with what keeps it from moving. */
export class Cursor {
  readonly log: PartitionLog
  /** Next offset to deliver. */
  offset: number
  isPaused = false
  /** Waits a little because the last batch was not accepted at all. */
  isResting = false
  readonly #unlisten: () => void

  constructor(log: PartitionLog, offset: number, onRecords: () => void) {
    this.log = log
    this.offset = offset
    this.#unlisten = log.listen(onRecords)
  }

  get hasRecords(): boolean {
    return (
      !this.isPaused && !this.isResting && this.offset < this.log.endOffset && this.log.startOffset < this.log.endOffset
    )
  }

  resume(): void {
    this.isPaused = false
    this.isResting = false
  }

  /** The next batch. Records below the start of the log are gone: `fromOffset` is what was asked for, and shows the gap. */
  read(limit: ReadLimit): RecordBatch {
    const { topic, partition, endOffset } = this.log
    const records = this.log.read(this.offset, endOffset, limit)
    const lastOffset = records.at(-1)?.offset ?? this.offset
    return { topic, partition, records, fromOffset: this.offset, lastOffset, endOffset }
  }

  close(): void {
    this.#unlisten()
  }
}
