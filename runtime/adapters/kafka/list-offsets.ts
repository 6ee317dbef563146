/** Offsets of partitions by time: first, next and "at or after". As readers see them, so below an open transaction. */
import { buildCall, callWithoutParsing } from './broker-calls.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { createErrorFromCode, type InternalBroker } from './kafkajs-internals.ts'

/** Special times of the protocol. */
export const EARLIEST = -2
export const LATEST = -1

const READ_COMMITTED = 1

interface ListOffsetsAnswer {
  readonly responses: readonly {
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[]
  }[]
}

/** A topic under both of its names. */
export interface NamedTopic {
  readonly topic: string
  readonly physicalTopic: string
}

/**
 * One offset per partition: `atMs` is a time, {@link EARLIEST} or {@link LATEST}; -1 where no record is that young.
 * @throws LABAN_BROKER_UNAVAILABLE, LABAN_BROKER_REFUSED
 */
export function listOffsets(
  access: ClusterAccess,
  { topic, physicalTopic }: NamedTopic,
  partitions: readonly number[],
  atMs: number,
): Promise<ReadonlyMap<number, number>> {
  const attempt = { operation: 'list offsets', topic }
  return access.retry(attempt, async () => {
    const byLeader = new Map<InternalBroker, number[]>()
    for (const partition of partitions) {
      const leader = await access.leaderOf(physicalTopic, partition, attempt)
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
    }
    try {
      const answers = await Promise.all([...byLeader].map(([leader, own]) => ask(leader, physicalTopic, own, atMs)))
      return new Map(answers.flat())
    } catch (error) {
      access.forget(physicalTopic)
      throw error
    }
  })
}

async function ask(
  leader: InternalBroker,
  physicalTopic: string,
  partitions: readonly number[],
  atMs: number,
): Promise<readonly (readonly [number, number])[]> {
  const asked = partitions.map((partition) => ({ partition, timestamp: atMs }))
  const call = buildCall(leader, 'ListOffsets', {
    isolationLevel: READ_COMMITTED,
    topics: [{ topic: physicalTopic, partitions: asked }],
  })
  const { responses } = await callWithoutParsing<ListOffsetsAnswer>(leader, call)
  return responses
    .flatMap(({ partitions: answered }) => answered)
    .map(({ partition, errorCode, offset }) => {
      if (errorCode !== 0) throw createErrorFromCode(errorCode)
      return [partition, Number(offset)] as const
    })
}
