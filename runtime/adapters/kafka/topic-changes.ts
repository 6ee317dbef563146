/** Creating topics and adding partitions; each call ends only when the change can be seen, so that the next one may rely on it. */
import { LabanError } from '../../../contracts/errors.ts'
import type { TopicSpec } from '../../ports/broker.ts'
import type { ClusterAccess } from './cluster-access.ts'
import type { NamedTopic } from './list-offsets.ts'
import { createErrorFromCode } from './kafkajs-internals.ts'
import { rootCause } from './kafka-errors.ts'

const CHANGE_TIMEOUT_MS = 10_000
const VISIBLE_TIMEOUT_MS = 10_000
const LEADER_NOT_AVAILABLE = 5
const ALREADY_THERE = 'TOPIC_ALREADY_EXISTS'

/** Creates what is missing, one request per topic: a refused one does not hold back the others, and the first is reported. */
export async function createMissingTopics(
  access: ClusterAccess,
  specs: readonly (TopicSpec & NamedTopic)[],
): Promise<void> {
  const created = await Promise.allSettled(specs.map((spec) => createTopic(access, spec)))
  const failed = created.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** @throws LABAN_BROKER_REFUSED when the topic is missing or has more partitions already */
export async function addTopicPartitions(access: ClusterAccess, named: NamedTopic, partitions: number): Promise<void> {
  const { topic, physicalTopic } = named
  const attempt = { operation: 'add partitions', topic }
  const existing = await access.partitionsOf(physicalTopic, attempt)
  if (existing.length > partitions) {
    const problem = `it has ${existing.length}; partitions cannot be taken away`
    throw new LabanError('LABAN_BROKER_REFUSED', { ...attempt, problem })
  }
  if (existing.length === partitions) return
  await access.retry(attempt, async () => {
    const broker = await access.controller()
    await broker.createPartitions({
      topicPartitions: [{ topic: physicalTopic, count: partitions }],
      timeout: CHANGE_TIMEOUT_MS,
    })
  })
  await untilVisible(access, named, partitions)
}

async function createTopic(access: ClusterAccess, spec: TopicSpec & NamedTopic): Promise<void> {
  const { topic, physicalTopic, partitions, replication, config } = spec
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await access.retry({ operation: 'create', topic }, async () => {
    const broker = await access.controller()
    try {
      await broker.createTopics({
        topics: [{ topic: physicalTopic, numPartitions: partitions, replicationFactor: replication, configEntries }],
        timeout: CHANGE_TIMEOUT_MS,
      })
    } catch (error) {
      const cause = rootCause(error)
      if (!(cause instanceof Error && 'type' in cause && cause.type === ALREADY_THERE)) throw error
    }
  })
  await untilVisible(access, spec, 1)
}

/** Waits until the topic has this many partitions, each with a leader. */
function untilVisible(access: ClusterAccess, { topic, physicalTopic }: NamedTopic, partitions: number): Promise<void> {
  const attempt = { operation: 'create', topic, timeoutMs: VISIBLE_TIMEOUT_MS }
  return access.retry(attempt, async () => {
    access.forget(physicalTopic)
    const found = await access.partitionsOf(physicalTopic, attempt)
    if (found.length < partitions || found.some(({ leader }) => leader < 0))
      throw createErrorFromCode(LEADER_NOT_AVAILABLE)
  })
}
