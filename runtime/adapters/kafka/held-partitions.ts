/** The partitions of one generation of a consumer, with the position that delivery has got to. */
import type { Assignment, TopicPartition } from '../../ports/broker.ts'
import type { ConsumerGroup } from './kafkajs-internals.ts'
import type { PhysicalNames } from './physical-names.ts'

/** A partition while it is ours. */
export interface HeldPartition extends TopicPartition {
  readonly physicalTopic: string
  /** Offset of the next record to deliver; undefined until it is known where reading begins. */
  nextOffset: number | undefined
  isPaused: boolean
  /** Set while a partition whose records were all declined rests before they are offered again. */
  isResting: boolean
  /** True once the owner was told of it. */
  isAnnounced: boolean
  /** True when it was added to a topic that the group already reads. */
  isAdded: boolean
}

/** One generation of the group as this member saw it. Topics in keys are names on the broker. */
export interface Generation {
  readonly id: number
  readonly memberId: string
  readonly partitions: ReadonlyMap<string, HeldPartition>
  /** Partitions that were ours in the generation just before, without a break. */
  readonly kept: ReadonlySet<HeldPartition>
}

/** Key of a partition in maps. */
export function partitionName(physicalTopic: string, partition: number): string {
  return `${partition}/${physicalTopic}`
}

/**
 * The generation that a group has just joined. A partition is kept only when this is the same member and the very next
 * generation: only then can nobody else have had it in between.
 */
export function nextGeneration(group: ConsumerGroup, names: PhysicalNames, before: Generation | undefined): Generation {
  const id = group.generationId ?? -1
  const memberId = group.memberId ?? ''
  const isNext = before !== undefined && before.memberId === memberId && before.id + 1 === id
  const partitions = new Map<string, HeldPartition>()
  const kept = new Set<HeldPartition>()
  for (const { topic: physicalTopic, partitions: assigned } of group.assigned()) {
    const topic = names.logicalTopic(physicalTopic) ?? physicalTopic
    for (const partition of assigned) {
      const name = partitionName(physicalTopic, partition)
      const old = isNext ? before.partitions.get(name) : undefined
      const isKept = old?.isAnnounced === true && old.nextOffset !== undefined
      const held = isKept
        ? { ...old, isResting: false, isAdded: false }
        : {
            topic,
            physicalTopic,
            partition,
            nextOffset: undefined,
            isPaused: false,
            isResting: false,
            isAnnounced: false,
            isAdded: false,
          }
      partitions.set(name, held)
      if (isKept) kept.add(held)
    }
  }
  return { id, memberId, partitions, kept }
}

/** What the owner is told of a partition. */
export function toAssignment(
  held: HeldPartition,
  isKept: boolean,
  committed: { offset: number; metadata: string } | undefined,
): Assignment {
  return {
    topic: held.topic,
    partition: held.partition,
    committedOffset: committed?.offset ?? null,
    metadata: committed?.metadata ?? '',
    startOffset: held.nextOffset ?? 0,
    kept: isKept,
    ...(held.isAdded ? { added: true } : {}),
  }
}
