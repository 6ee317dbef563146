/** Who gets which partitions: kept where they are unless balance asks for a move. Pure, and the same for the same input. */

/** A member of the group with what it held in its last generation. */
export interface StickyMember {
  readonly id: string
  readonly topics: ReadonlySet<string>
  /** Of the generation in `owned`; of two claims to one partition the younger counts. */
  readonly generation: number
  readonly owned: ReadonlyMap<string, readonly number[]>
}

/** Partitions by member id and topic. */
export type StickyAssignment = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>

interface Share {
  readonly member: StickyMember
  readonly topics: Map<string, number[]>
  total: number
}

/** Assigns every partition of every topic to a member that subscribes to the topic. */
export function assignSticky(
  members: readonly StickyMember[],
  partitionCounts: ReadonlyMap<string, number>,
): StickyAssignment {
  const shares = members
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((member): Share => ({ member, topics: new Map(), total: 0 }))
  const topics = [...partitionCounts.keys()].toSorted()
  for (const topic of topics) keepOwned(shares, topic, partitionCounts.get(topic) ?? 0)
  for (const topic of topics) fillTopic(subscribers(shares, topic), topic, partitionCounts.get(topic) ?? 0)
  for (const topic of topics) while (evenTopic(subscribers(shares, topic), topic));
  while (evenTotals(shares, topics));
  return new Map(
    shares.map(({ member, topics: own }) => [
      member.id,
      new Map(
        [...own].filter(([, list]) => list.length > 0).map(([topic, list]) => [topic, list.toSorted((a, b) => a - b)]),
      ),
    ]),
  )
}

/** Each partition stays with the member that claims it by the youngest generation. */
function keepOwned(shares: readonly Share[], topic: string, count: number): void {
  const owners = new Map<number, Share>()
  for (const share of subscribers(shares, topic)) {
    for (const partition of share.member.owned.get(topic) ?? []) {
      const rival = owners.get(partition)
      if (
        partition >= 0 &&
        partition < count &&
        (rival === undefined || rival.member.generation < share.member.generation)
      ) {
        owners.set(partition, share)
      }
    }
  }
  for (const [partition, share] of owners) give(share, topic, partition)
}

function fillTopic(candidates: readonly Share[], topic: string, count: number): void {
  const taken = new Set(candidates.flatMap((share) => share.topics.get(topic) ?? []))
  for (let partition = 0; partition < count; partition += 1) {
    if (taken.has(partition)) continue
    const [lightest] = candidates.toSorted((a, b) => countOf(a, topic) - countOf(b, topic) || a.total - b.total)
    if (lightest !== undefined) give(lightest, topic, partition)
  }
}

/** Moves one partition within a topic; false when it is even. */
function evenTopic(candidates: readonly Share[], topic: string): boolean {
  const sorted = candidates.toSorted((a, b) => countOf(a, topic) - countOf(b, topic) || a.total - b.total)
  const [lightest, heaviest] = [sorted[0], sorted.at(-1)]
  if (lightest === undefined || heaviest === undefined) return false
  if (countOf(heaviest, topic) - countOf(lightest, topic) < 2) return false
  move(heaviest, lightest, topic)
  return true
}

/** Moves one partition between members whose totals differ by two or more, where that leaves its topic even. */
function evenTotals(shares: readonly Share[], topics: readonly string[]): boolean {
  const sorted = shares.toSorted((a, b) => a.total - b.total)
  for (const heavy of sorted.toReversed()) {
    for (const light of sorted) {
      if (heavy.total - light.total < 2) break
      const topic = topics.find((name) => light.member.topics.has(name) && countOf(heavy, name) > countOf(light, name))
      if (topic === undefined) continue
      move(heavy, light, topic)
      return true
    }
  }
  return false
}

function subscribers(shares: readonly Share[], topic: string): readonly Share[] {
  return shares.filter(({ member }) => member.topics.has(topic))
}

function countOf(share: Share, topic: string): number {
  return share.topics.get(topic)?.length ?? 0
}

function give(share: Share, topic: string, partition: number): void {
  const list = share.topics.get(topic) ?? []
  share.topics.set(topic, list)
  list.push(partition)
  share.total += 1
}

function move(from: Share, to: Share, topic: string): void {
  const partition = from.topics.get(topic)?.pop()
  if (partition === undefined) return
  from.total -= 1
  give(to, topic, partition)
}
