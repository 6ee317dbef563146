/** What the store in memory keeps, under which names, and for how long. */
import { flowSlot, type Uuid } from '../../../contracts/ids.ts'
import type { ClaimOptions, HandlingRef } from '../../ports/claim-store.ts'
import type { ExpiringMap } from './store-expiring.ts'
import type { StoredJoin } from './store-joins.ts'
import type { ParkingIndex } from './store-parking.ts'
import type { StoredHandling } from './store-transitions.ts'

const DAY_MS = 86_400_000
/** As in Redis: a claim outlives any pause in which its work could still be taken over. */
const CLAIM_TTL_MS = 8 * DAY_MS
const DEAD_TTL_MS = 30 * DAY_MS
/** As in Redis: agents share a slot with a 64th of the flows. */
const SLOTS = 64

/** What all agents of all processes share. */
export interface Memory {
  readonly handlings: ExpiringMap<StoredHandling>
  readonly joins: ExpiringMap<StoredJoin>
  readonly journals: ExpiringMap<ReadonlyMap<string, Buffer>>
  readonly parking: ParkingIndex
  readonly marks: ExpiringMap<string>
  /** Ends of leases, kept after they lapsed, so that a renewal can tell. */
  readonly leaseEndsAtMs: Map<string, number>
  /** What processes said of themselves when they renewed. */
  readonly leaseNotes: Map<string, string>
  /** Counts how often everything was forgotten. */
  epoch: number
  /** Agents of which everything that the log knows has been put back in this epoch. */
  readonly recovered: Set<string>
  /** Who puts back, by agent. */
  readonly leaders: ExpiringMap<string>
}

/** Where things of an agent are kept. */
export interface Keys {
  readonly handling: (ref: HandlingRef) => string
  readonly join: (flowId: Uuid) => string
}

/** The names of an agent's things. */
export function keysOf(agent: string): Keys {
  return {
    handling: ({ flowId, handlingId }) => `${agent}:${flowSlot(flowId, SLOTS)}:${handlingId}`,
    join: (flowId) => `${agent}:${flowId}`,
  }
}

/** How long an agent's things are kept, ms. */
export function timesToLive(options: ClaimOptions): Record<StoredHandling['state'], number> {
  const claimMs = Math.max(CLAIM_TTL_MS, options.dedupMs, options.joinTtlMs)
  return {
    claimed: claimMs,
    computed: claimMs,
    done: options.dedupMs,
    handed: options.dedupMs,
    dead: Math.max(DEAD_TTL_MS, options.dedupMs),
  }
}
