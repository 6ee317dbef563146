/** A member of a consumer group that writes down everything it is told; what it answers can be set per test. */
import type {
  Assignment,
  Broker,
  BrokerConsumer,
  BrokerRecord,
  ConsumerOptions,
  OffsetCommit,
  RecordBatch,
  TopicPartition,
} from '../../runtime/ports/broker.ts'

/** A delivered record with its place. */
export type Delivered = BrokerRecord & TopicPartition

/** What a test wants from a member besides taking everything. */
export interface MemberBehaviour {
  readonly onAssigned?: (assignment: readonly Assignment[], member: GroupMember) => void | Promise<void>
  readonly onRebalancing?: (member: GroupMember) => readonly OffsetCommit[]
  /** Next offset to fetch. @default everything is accepted */
  readonly onBatch?: (batch: RecordBatch, member: GroupMember) => number
}

/** What a member has been told so far, in order. */
export interface GroupMember {
  readonly consumer: BrokerConsumer
  readonly assignments: readonly (readonly Assignment[])[]
  readonly batches: readonly RecordBatch[]
  /** Accepted records only. */
  readonly records: readonly Delivered[]
  readonly crashes: readonly unknown[]
  /** The newest assignment; empty before the first. */
  assigned(): readonly Assignment[]
  /** Texts of the accepted values, of one partition or all. */
  texts(partition?: number): readonly string[]
}

/** Short intervals, so that tests see a rebalance soon. */
const QUICK = { startFrom: 'earliest', sessionTimeoutMs: 10_000, heartbeatIntervalMs: 300, maxWaitMs: 100 } as const

/** Joins a group. @default startFrom earliest */
export async function joinGroup(
  broker: Broker,
  options: Pick<ConsumerOptions, 'group' | 'topics'> & Partial<ConsumerOptions>,
  behaviour: MemberBehaviour = {},
): Promise<GroupMember> {
  const assignments: (readonly Assignment[])[] = []
  const batches: RecordBatch[] = []
  const records: Delivered[] = []
  const crashes: unknown[] = []
  const member: GroupMember = {
    // A broker that calls before it has returned the consumer fails here.
    get consumer(): BrokerConsumer {
      return consumer
    },
    assignments,
    batches,
    records,
    crashes,
    assigned: () => assignments.at(-1) ?? [],
    texts: (partition) => {
      const chosen = records.filter((record) => partition === undefined || record.partition === partition)
      return chosen.map((record) => record.value?.toString() ?? '')
    },
  }
  const consumer = await broker.consumer(
    { ...QUICK, ...options },
    {
      onAssigned: async (assignment) => {
        assignments.push(assignment)
        await behaviour.onAssigned?.(assignment, member)
      },
      onRebalancing: () => behaviour.onRebalancing?.(member) ?? [],
      onBatch: (batch) => {
        batches.push(batch)
        const next = behaviour.onBatch?.(batch, member) ?? batch.lastOffset + 1
        const { topic, partition } = batch
        const accepted = batch.records.filter((record) => record.offset < next)
        records.push(...accepted.map((record) => ({ ...record, topic, partition })))
        return next
      },
      onCrash: (error) => crashes.push(error),
    },
  )
  return member
}
