/** The store in Redis 7, Redis Cluster or Valkey. docs/design/states.md describes what it keeps there, and why so. */
import type { Store } from '../../ports/claim-store.ts'
import { RedisClaimStore } from './claims.ts'
import { openConnection, type RedisConnectionOptions } from './connection.ts'
import { readHealth } from './health.ts'
import { createLeaseStore } from './leases.ts'
import { agentKeys } from './keys.ts'
import { createMarkStore } from './marks.ts'
import { createParkingStore } from './parking.ts'
import { createRecoveryStore } from './recovery.ts'
import { createStoreView } from './view.ts'

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** Prefixes every key; '' for none. */
  readonly namespace: string
  /** How long calls are refused after Redis was found to have lost its memory; one lease. @default 10000 */
  readonly lostPauseMs?: number
}

/**
 * Creates the store; `connect` opens the connection, `close` ends it. While Redis cannot be used every call rejects at once with
 * LABAN_STORE_UNAVAILABLE, and the connection comes back by itself. A Redis that lost its memory is reported once per agent by
 * LABAN_STORE_LOST: where the agent recovers until that is done, else for `lostPauseMs`; then work goes on with an empty store.
 */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { namespace, clock, logger, lostPauseMs } = options
  const connection = openConnection(options)
  return {
    connect: () => connection.connect(),
    claimsOf: (agent, kept) =>
      new RedisClaimStore({
        ...kept,
        connection,
        namespace,
        agent,
        isCluster: options.cluster === true,
        clock,
        logger,
        ...(lostPauseMs === undefined ? {} : { lostPauseMs }),
      }),
    marksOf: (agent) => createMarkStore(connection, namespace, agent),
    viewOf: (agent) => createStoreView(connection, agentKeys(namespace, agent), options.cluster === true),
    recoveryOf: (agent, kept) =>
      createRecoveryStore({ connection, namespace, agent, kept, isCluster: options.cluster === true }),
    parkingOf: (agent) => createParkingStore(connection, namespace, agent),
    leases: createLeaseStore(connection, namespace),
    health: () => connection.run(readHealth),
    close: () => {
      connection.close()
      return Promise.resolve()
    },
  }
}
