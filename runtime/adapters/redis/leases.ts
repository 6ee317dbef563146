/** Leases: one key per process that ends by itself. A lease counts as lost only when Redis answers that its key was gone. */
import type { LeaseStore } from '../../ports/claim-store.ts'
import type { Connection } from './connection.ts'
import { leaseKey } from './keys.ts'

const VERSION = '1'

/** Leases of one namespace. */
export function createLeaseStore(connection: Connection, namespace: string): LeaseStore {
  const renewedBefore = new Set<string>()
  return {
    renew: async (instance, leaseMs, note = '') => {
      const key = leaseKey(namespace, instance)
      // One command sets the key and tells whether it was still there.
      const before = await connection.run((client) => client.set(key, VERSION + note, 'PX', leaseMs, 'GET'))
      const isFirst = !renewedBefore.has(instance)
      renewedBefore.add(instance)
      return isFirst || before !== null
    },
    isAlive: async (instance) => (await connection.run((client) => client.exists(leaseKey(namespace, instance)))) === 1,
    release: async (instance) => {
      await connection.run((client) => client.del(leaseKey(namespace, instance)))
      renewedBefore.delete(instance)
    },
    look: (instances) =>
      connection.run((client) =>
        Promise.all(
          instances.map(async (instance) => {
            const key = leaseKey(namespace, instance)
            const [value, leftMs] = await Promise.all([client.get(key), client.pttl(key)])
            // A negative answer: no key, or one that never ends, which no lease is.
            return {
              remainingMs: value === null || leftMs < 0 ? null : leftMs,
              note: value?.slice(VERSION.length) ?? '',
            }
          }),
        ),
      ),
  }
}
