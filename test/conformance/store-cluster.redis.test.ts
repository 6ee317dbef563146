/** The store suite on Redis Cluster: every script must stay within one slot. */
import { createRedisStore } from '../../runtime/adapters/redis/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { startPrivateCluster } from './store-server.ts'
import { describeStore } from './store.suite.ts'

describeStore('redis cluster', async () => {
  const server = await startPrivateCluster()
  const open = () =>
    createRedisStore({ url: server.url, namespace: 'test', cluster: true, clock: systemClock, logger: silentLogger })
  return { open, tearDown: () => server.close() }
})
