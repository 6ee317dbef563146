/** What a test lets go wrong in the memory broker. Each hook is asked before the operation; without hooks nothing fails. */
import type { OffsetCommit, OutgoingRecord, TopicPartition } from '../../ports/broker.ts'

/**
 * How one send fails. `unavailable`: nothing is appended. `lost-ack`: everything is appended, the sender hears of a failure.
 * `appendOnly`: only matching partitions are appended, the sender hears of a failure.
 */
export type SendFault = 'unavailable' | 'lost-ack' | { readonly appendOnly: (position: TopicPartition) => boolean }

/** How one commit fails: not stored, or stored and the answer lost. */
export type CommitFault = 'unavailable' | 'lost-ack'

/** Hooks; all optional. They must be deterministic functions of the clock and of what they are given. */
export interface BrokerFaults {
  /** While true every operation fails and nothing is delivered; consumers look again every `maxWaitMs`. */
  readonly unavailable?: () => boolean
  readonly onSend?: (records: readonly OutgoingRecord[]) => SendFault | undefined
  readonly onCommit?: (group: string, commits: readonly OffsetCommit[]) => CommitFault | undefined
}
