/** Deaths around dead letters, on the Redis of the stack. */
import { createRedisStore } from '../../runtime/adapters/redis/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { describeBurials } from './burial.suite.ts'

describeBurials('redis', async () => {
  const url = await stackAddress('redisUrl')
  return createRedisStore({ url, namespace: uniqueName('burial'), clock: systemClock, logger: silentLogger })
})
