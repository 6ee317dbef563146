/** Port of the archive: records of chosen topics, kept when their topics have forgotten them. It is asked only for what the log has not. */
import type { BrokerRecord, TopicPartition } from './broker.ts'

/** Where a record lay on the log. */
export interface RecordPlace extends TopicPartition {
  readonly offset: number
}

/** A record as it lay there: bytes of key and value, headers, time. */
export type ArchivedRecord = TopicPartition & BrokerRecord

/** See the file's head. */
export interface RecordArchive {
  /** Those of these records that it has, in no order. @throws LABAN_LEDGER_UNAVAILABLE, LABAN_LEDGER_REFUSED (retry) */
  records(places: readonly RecordPlace[]): Promise<readonly ArchivedRecord[]>
}
