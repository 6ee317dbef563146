/** Whatever is asked of the store in Redis, in whatever order, it answers like the model. */
import { describe, it } from 'vitest'
import { createRedisStore } from '../../runtime/adapters/redis/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { compareWithModel } from '../property/store-calls.ts'

describe('store in redis', () => {
  it('answers random calls like the model', async () => {
    const url = await stackAddress('redisUrl')
    await compareWithModel(
      () => createRedisStore({ url, namespace: uniqueName('model'), clock: systemClock, logger: silentLogger }),
      150,
    )
  })
})
