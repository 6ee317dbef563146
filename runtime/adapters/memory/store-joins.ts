/** Joins in memory: one member per topic and flow, the first wins; bodies go when the join's handling is done. */
import type { JoinAnswer, JoinMember, JoinRequest } from '../../ports/claim-store.ts'
import type { ExpiringMap } from './store-expiring.ts'

/** Members by topic. `isDone`: the join has fired and only the ids are kept. */
export interface StoredJoin {
  readonly members: Map<string, JoinMember>
  isDone: boolean
}

/** Records one member; each recorded member renews the time to live of the whole. */
export function recordMember(
  joins: ExpiringMap<StoredJoin>,
  key: string,
  ttlMs: number,
  request: JoinRequest,
): JoinAnswer {
  const { member, topics } = request
  const join = joins.get(key) ?? { members: new Map<string, JoinMember>(), isDone: false }
  const first = join.members.get(member.topic)
  if (first === undefined) {
    join.members.set(member.topic, { ...member, record: Buffer.from(member.record) })
    joins.set(key, join, ttlMs)
  }
  const result = first === undefined ? 'recorded' : first.eventId === member.eventId ? 'already' : 'late'
  const have = topics.filter((topic) => join.members.has(topic))
  const members = topics.flatMap((topic) => join.members.get(topic) ?? [])
  return members.length === topics.length && !join.isDone ? { result, have, members } : { result, have }
}

/** Keeps only the ids of a join whose handling is done, as long as the handling itself is remembered. */
export function dropBodies(joins: ExpiringMap<StoredJoin>, key: string, dedupMs: number): void {
  const join = joins.get(key)
  if (join === undefined || join.isDone) return
  for (const [topic, member] of join.members) join.members.set(topic, { ...member, record: Buffer.alloc(0) })
  join.isDone = true
  joins.set(key, join, dedupMs)
}
