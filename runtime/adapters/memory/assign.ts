/** Sticky assignment: partitions stay where they are as long as that is fair, so that a rebalance moves as little as it can. */
import type { TopicPartition } from '../../ports/broker.ts'

/** A member to assign to, with what it held before. */
export interface Candidate {
  readonly id: string
  readonly topics: ReadonlySet<string>
  readonly held: readonly TopicPartition[]
}

interface Share {
  readonly candidate: Candidate
  readonly partitions: TopicPartition[]
}

/** Partitions per member id. Loads differ by at most one between members of equal subscription; the same input gives the same answer. */
export function assignSticky(
  candidates: readonly Candidate[],
  partitions: readonly TopicPartition[],
): ReadonlyMap<string, readonly TopicPartition[]> {
  const shares = candidates.map((candidate): Share => ({ candidate, partitions: [] }))
  const free = keepHeld(shares, partitions)
  for (const partition of free) {
    const share = lightest(
      shares.filter(({ candidate }) => candidate.topics.has(partition.topic)),
      partition.topic,
    )
    share?.partitions.push(partition)
  }
  while (moveOne(shares));
  return new Map(shares.map((share) => [share.candidate.id, share.partitions]))
}

function keepHeld(shares: readonly Share[], partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  return partitions.filter((partition) => {
    const owner = shares.find(({ candidate }) => {
      return candidate.topics.has(partition.topic) && candidate.held.some((held) => isSame(held, partition))
    })
    owner?.partitions.push(partition)
    return owner === undefined
  })
}

/** Moves one partition from a member to one that has at least two fewer; false when there is no such pair. */
function moveOne(shares: readonly Share[]): boolean {
  for (const from of shares.toSorted((a, b) => b.partitions.length - a.partitions.length)) {
    let best: { surplus: number; index: number; to: Share } | undefined
    for (const [index, { topic }] of from.partitions.entries()) {
      const to = lightest(
        shares.filter(({ candidate }) => candidate.topics.has(topic)),
        topic,
      )
      if (to === undefined || from.partitions.length - to.partitions.length < 2) continue
      const surplus = countOf(from, topic) - countOf(to, topic)
      if (best === undefined || surplus >= best.surplus) best = { surplus, index, to }
    }
    if (best !== undefined) {
      best.to.partitions.push(...from.partitions.splice(best.index, 1))
      return true
    }
  }
  return false
}

function lightest(shares: readonly Share[], topic: string): Share | undefined {
  return shares.toSorted(
    (a, b) => a.partitions.length - b.partitions.length || countOf(a, topic) - countOf(b, topic),
  )[0]
}

function countOf(share: Share, topic: string): number {
  return share.partitions.filter((partition) => partition.topic === topic).length
}

function isSame(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition
}
