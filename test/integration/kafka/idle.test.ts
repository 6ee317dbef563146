/** What idle connections cost: with kafkajs as it is, a timer in the past is armed again for ever. */
import { afterEach, describe, expect, it } from 'vitest'
import { RequestQueueClass } from '../../../runtime/adapters/kafka/kafkajs-internals.ts'
import { kafkaConnection } from '../../../runtime/adapters/kafka/connection.ts'
import { installRequestQueueShim, removeRequestQueueShim } from '../../../runtime/adapters/kafka/request-queue-shim.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { waitFor } from '../../harness/wait.ts'
import { brokers } from './harness.ts'

const WATCHED_MS = 1_000

interface Checked {
  checkPendingRequests(): void
}

describe('idle connection', () => {
  const prototype = RequestQueueClass.prototype as unknown as Checked
  const original = prototype.checkPendingRequests
  afterEach(() => {
    prototype.checkPendingRequests = original
    installRequestQueueShim()
  })

  /** How often one idle connection wakes up to look at its empty queue. */
  async function wakeUps(): Promise<number> {
    const cluster = kafkaConnection({ brokers, clientId: 'idle', logger: silentLogger }).newCluster()
    await cluster.connect()
    let count = 0
    prototype.checkPendingRequests = function (): void {
      count += 1
      original.call(this)
    }
    const startMs = performance.now()
    await waitFor(() => performance.now() - startMs > WATCHED_MS, { what: 'a second' })
    prototype.checkPendingRequests = original
    await cluster.disconnect()
    return count
  }

  it('sleeps with the guard and spins without it', async () => {
    installRequestQueueShim()
    const guarded = await wakeUps()
    removeRequestQueueShim()
    const bare = await wakeUps()
    expect(guarded).toBeLessThanOrEqual(2)
    expect(bare).toBeGreaterThan(100)
  })
})
