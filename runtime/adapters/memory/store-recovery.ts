/** Putting back in memory what a wipe has taken: the same answers as Redis (test/conformance/store.suite.ts). */
import { LabanError } from '../../../contracts/errors.ts'
import type { RecoveryStore, RestoredState } from '../../ports/recovery-store.ts'
import type { Keys, Memory } from './store-memory.ts'
import type { StoredJoin } from './store-joins.ts'
import { visibleState, type StoredHandling } from './store-transitions.ts'

interface RecoveryPlace {
  readonly memory: Memory
  readonly agent: string
  readonly keys: Keys
  readonly ttlMs: Readonly<Record<StoredHandling['state'], number>>
  readonly joinTtlMs: number
}

/** The recovery of one agent. `run` carries the call out, or fails it. */
export function recoveryIn(place: RecoveryPlace, run: <R>(call: () => R) => Promise<R>): RecoveryStore {
  const { memory, agent, keys, ttlMs } = place
  const { handlings, journals, leaders, recovered } = memory
  let named = memory.epoch
  const inEpoch = <R>(call: () => R): Promise<R> =>
    run(() => {
      if (named === memory.epoch) return call()
      throw new LabanError('LABAN_STORE_LOST', { url: 'memory', problem: 'it was wiped by a fault' })
    })
  return {
    status: () =>
      run(() => {
        named = memory.epoch
        return { epoch: String(named), isRecovered: recovered.has(agent) }
      }),
    lead: (instance, leaseMs) =>
      run(() => {
        if ((leaders.get(agent) ?? instance) !== instance) return false
        leaders.set(agent, instance, leaseMs)
        return true
      }),
    read: (refs) => run(() => refs.map((ref) => visibleState(handlings.get(keys.handling(ref))))),
    restore: (entries) =>
      inEpoch(() =>
        entries.map((entry) => {
          const key = keys.handling(entry)
          const stored = handlings.get(key)
          const next = storedOf(entry.restored)
          if (stored !== undefined && rank(stored) >= rank(next)) return visibleState(stored)
          handlings.set(key, next, ttlMs[next.state])
          return visibleState(next)
        }),
      ),
    restoreJournal: (values) =>
      inEpoch(() => {
        for (const entry of values) {
          const key = keys.handling(entry)
          const kept = journals.get(key) ?? new Map<string, Buffer>()
          if (!kept.has(entry.name)) journals.set(key, new Map([...kept, [entry.name, entry.value]]), ttlMs.dead)
        }
      }),
    restoreJoins: (members) =>
      inEpoch(() => {
        for (const { flowId, member, isDone } of members) {
          const join = memory.joins.get(keys.join(flowId)) ?? { members: new Map(), isDone }
          restoreMember(join, member, isDone)
          memory.joins.set(keys.join(flowId), join, place.joinTtlMs)
        }
      }),
    complete: (epoch) =>
      run(() => {
        if (epoch !== String(memory.epoch)) return false
        recovered.add(agent)
        return true
      }),
  }
}

function restoreMember(join: StoredJoin, member: Parameters<StoredJoin['members']['set']>[1], isDone: boolean): void {
  if (isDone) join.members.set(member.topic, { ...member, record: Buffer.alloc(0) })
  else if (!join.members.has(member.topic)) join.members.set(member.topic, member)
  join.isDone ||= isDone
}

/** Which of two states is the later one; the same order as in `restore.lua`. */
function rank(stored: StoredHandling): number {
  switch (stored.state) {
    case 'done':
      return 2e17
    case 'computed':
      return 1e17
    case 'dead':
      return stored.generation * 1e11
    case 'handed':
      return stored.generation * 1e11 + stored.attempt * 4 + 3
    case 'claimed':
      return stored.generation * 1e11 + stored.attempt * 4 + (stored.owner === '' ? 1 : 2)
  }
}

function storedOf(restored: RestoredState): StoredHandling {
  switch (restored.state) {
    case 'computed':
      return { ...restored, generation: 0 }
    case 'dead': {
      const { attempt, generation, unsettled } = restored
      const { owner = '', note } = unsettled ?? {}
      return { state: 'dead', owner, attempt, generation, ...(note === undefined ? {} : { note }) }
    }
    default:
      return restored
  }
}
