/** Leases: one key per process that ends by itself. A lease counts as lost only when Redis answers that its key was gone. */
import type { LeaseStore } from '../../ports/claim-store.ts'
import type { Connection } from './connection.ts'
import { leaseKey } from './keys.ts'

/** Leases of one namespace. */
export function createLeaseStore(connection: Connection, namespace: string): LeaseStore {
  const renewedBefore = new Set<string>()
  return {
    renew: async (instance, leaseMs) => {
      const key = leaseKey(namespace, instance)
      // One command sets the key and tells whether it was still there.
      const before = await connection.run((client) => client.set(key, '1', 'PX', leaseMs, 'GET'))
      const isFirst = !renewedBefore.has(instance)
      renewedBefore.add(instance)
      return isFirst || before !== null
    },
    isAlive: async (instance) => (await connection.run((client) => client.exists(leaseKey(namespace, instance)))) === 1,
    release: async (instance) => {
      await connection.run((client) => client.del(leaseKey(namespace, instance)))
      renewedBefore.delete(instance)
    },
  }
}
