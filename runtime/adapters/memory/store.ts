/**
 * The store in memory: claims, leases and joins of one process, with the same answers as Redis (test/conformance/store.suite.ts).
 * Services that share a process may share one store object; it lives as long as the object.
 */
import { joinHandlingId } from '../../../contracts/ids.ts'
import { LabanError } from '../../../contracts/errors.ts'
import type {
  ClaimOptions,
  ClaimStore,
  FinishRequest,
  HandlingRef,
  JournalRequest,
  LeaseStore,
  Store,
  Transition,
} from '../../ports/claim-store.ts'
import type { MarkStore } from '../../ports/mark-store.ts'
import type { StoreView } from '../../ports/store-view.ts'
import type { Clock } from '../../ports/clock.ts'
import { ExpiringMap } from './store-expiring.ts'
import { FaultGate, type StoreFaults } from './store-faults.ts'
import { keysOf, timesToLive, type Memory } from './store-memory.ts'
import { parkingIn } from './store-parking.ts'
import { recoveryIn } from './store-recovery.ts'
import { dropBodies, recordMember } from './store-joins.ts'
import * as transitions from './store-transitions.ts'
import type { StoredHandling, Verdict } from './store-transitions.ts'

/** A store in memory, with its faults. */
export interface MemoryStore extends Store {
  readonly faults: StoreFaults
  /** The clock was moved forward in one step, renewals left out: leases that were held by then are held on. */
  skipped(durationMs: number): void
}

const MARK_TTL_MS = 30 * 86_400_000

/** Creates an empty store. `close` does nothing, because other services of the process may still use it. */
export function createMemoryStore({ clock }: { clock: Clock }): MemoryStore {
  const memory: Memory = {
    handlings: new ExpiringMap(clock),
    joins: new ExpiringMap(clock),
    journals: new ExpiringMap(clock),
    parking: new Map(),
    marks: new ExpiringMap(clock),
    leaseEndsAtMs: new Map(),
    leaseNotes: new Map(),
    epoch: 0,
    recovered: new Set(),
    leaders: new ExpiringMap(clock),
  }
  const gate = new FaultGate(clock, () => forget(memory))
  return {
    faults: gate,
    skipped: (durationMs) => {
      const beforeMs = clock.nowMs() - durationMs
      for (const [instance, endsAtMs] of memory.leaseEndsAtMs) {
        if (endsAtMs > beforeMs) memory.leaseEndsAtMs.set(instance, endsAtMs + durationMs)
      }
    },
    connect: () => gate.run(() => undefined),
    claimsOf: (agent, options) => claimsIn(memory, gate, agent, options),
    recoveryOf: (agent, options) =>
      recoveryIn(
        { memory, agent, keys: keysOf(agent), ttlMs: timesToLive(options), joinTtlMs: options.joinTtlMs },
        (call) => gate.run(call),
      ),
    parkingOf: (agent) => parkingIn(memory.parking, agent, (call) => gate.run(call)),
    marksOf: (agent) => marksIn(memory.marks, gate, agent),
    viewOf: (agent) => viewIn(memory, gate, agent),
    leases: leasesIn(memory, gate, clock),
    health: () => gate.run(() => ({ version: 'memory', unsafe: [], full: false })),
    close: () => Promise.resolve(),
  }
}

function forget(memory: Memory): void {
  memory.handlings.clear()
  memory.joins.clear()
  memory.parking.clear()
  memory.marks.clear()
  memory.journals.clear()
  memory.recovered.clear()
  memory.leaders.clear()
  for (const instance of memory.leaseEndsAtMs.keys()) memory.leaseEndsAtMs.set(instance, 0)
  memory.epoch += 1
}

function claimsIn(memory: Memory, gate: FaultGate, agent: string, options: ClaimOptions): ClaimStore {
  const { handlings, joins, journals } = memory
  const ttlMs = timesToLive(options)
  const { recovers = false } = options
  let epoch = recovers ? -1 : memory.epoch
  const run = <R>(call: () => R): Promise<R> =>
    gate.run(() => {
      if (epoch === memory.epoch) return call()
      const problem = epoch < 0 ? 'what it knew has not been put back yet' : 'it was wiped by a fault'
      epoch = recovers ? -1 : memory.epoch
      throw new LabanError('LABAN_STORE_LOST', { url: 'memory', problem })
    })
  const { handling: keyOf, join: joinKeyOf } = keysOf(agent)

  const apply = <R extends HandlingRef>(requests: readonly R[], judge: Judge<R>): Promise<readonly Transition[]> =>
    run(() =>
      requests.map((request) => {
        const key = keyOf(request)
        const stored = handlings.get(key)
        const { accepted, next } = judge(stored, request)
        if (next !== undefined) handlings.set(key, next, ttlMs[next.state])
        return { accepted, current: transitions.visibleState(next ?? stored) }
      }),
    )

  const finishOne = (stored: StoredHandling | undefined, ref: FinishRequest): Verdict => {
    const verdict = transitions.finish(stored)
    if (verdict.accepted && ref.hasJournal === true) journals.delete(keyOf(ref))
    const isJoin = verdict.accepted && joins.get(joinKeyOf(ref.flowId)) !== undefined
    if (isJoin && ref.handlingId === joinHandlingId(agent, ref.flowId))
      dropBodies(joins, joinKeyOf(ref.flowId), ttlMs.done)
    return verdict
  }

  const writeOne = (stored: StoredHandling | undefined, request: JournalRequest): Verdict => {
    const verdict = transitions.writeJournal(stored, request)
    const { name, value } = request
    const kept = journals.get(keyOf(request)) ?? []
    if (verdict.accepted) journals.set(keyOf(request), new Map([...kept, [name, Buffer.from(value)]]), ttlMs.dead)
    return verdict
  }

  return {
    enter: (name) => {
      if (recovers) epoch = Number(name)
      return Promise.resolve()
    },
    read: (refs) => run(() => refs.map((ref) => transitions.visibleState(handlings.get(keyOf(ref))))),
    claim: (requests) => apply(requests, transitions.claim),
    compute: (requests) => apply(requests, transitions.compute),
    finish: (refs) => apply(refs, finishOne),
    hand: (requests) => apply(requests, transitions.hand),
    bury: (requests) => apply(requests, transitions.bury),
    settle: (requests) => apply(requests, transitions.settle),
    release: (requests) => apply(requests, transitions.release),
    writeJournal: (requests) => apply(requests, writeOne),
    readJournal: (refs) => run(() => refs.map((ref) => journals.get(keyOf(ref)) ?? new Map<string, Buffer>())),
    join: (requests) =>
      run(() => requests.map((request) => recordMember(joins, joinKeyOf(request.flowId), options.joinTtlMs, request))),
  }
}

type Judge<R> = (stored: StoredHandling | undefined, request: R) => Verdict

function marksIn(marks: ExpiringMap<string>, gate: FaultGate, agent: string): MarkStore {
  const keyOf = (name: string): string => `${agent} ${name}`
  return {
    get: (name) => gate.run(() => marks.get(keyOf(name))),
    set: (name, value) => gate.run(() => marks.set(keyOf(name), value, MARK_TTL_MS)),
    clear: (name, value) =>
      gate.run(() => {
        if (marks.get(keyOf(name)) === value) marks.delete(keyOf(name))
      }),
  }
}

function viewIn({ handlings, journals, recovered, leaders }: Memory, gate: FaultGate, agent: string): StoreView {
  const { handling: keyOf } = keysOf(agent)
  return {
    handlings: (refs) => gate.run(() => refs.map((ref) => transitions.visibleState(handlings.get(keyOf(ref))))),
    journal: (ref) => gate.run(() => journals.get(keyOf(ref)) ?? new Map<string, Buffer>()),
    memory: () => gate.run(() => ({ isRecovered: recovered.has(agent), recoverer: leaders.get(agent) })),
  }
}

function leasesIn({ leaseEndsAtMs, leaseNotes }: Memory, gate: FaultGate, clock: Clock): LeaseStore {
  return {
    renew: (instance, leaseMs, note = '') =>
      gate.run(() => {
        const endsAtMs = leaseEndsAtMs.get(instance)
        leaseNotes.set(instance, note)
        leaseEndsAtMs.set(instance, clock.nowMs() + leaseMs)
        return endsAtMs === undefined || endsAtMs > clock.nowMs()
      }),
    isAlive: (instance) => gate.run(() => (leaseEndsAtMs.get(instance) ?? 0) > clock.nowMs()),
    release: (instance) =>
      gate.run(() => {
        leaseEndsAtMs.delete(instance)
        leaseNotes.delete(instance)
      }),
    look: (instances) =>
      gate.run(() =>
        instances.map((instance) => {
          const leftMs = (leaseEndsAtMs.get(instance) ?? 0) - clock.nowMs()
          return leftMs > 0
            ? { remainingMs: leftMs, note: leaseNotes.get(instance) ?? '' }
            : { remainingMs: null, note: '' }
        }),
      ),
  }
}
