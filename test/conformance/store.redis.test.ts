/** The store suite on the Redis of the stack. */
import { createRedisStore } from '../../runtime/adapters/redis/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { describeStore } from './store.suite.ts'

describeStore('redis', async () => {
  const url = await stackAddress('redisUrl')
  const namespace = uniqueName('store')
  return { open: () => createRedisStore({ url, namespace, clock: systemClock, logger: silentLogger }) }
})
