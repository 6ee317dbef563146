import { beforeEach, describe, expect, it } from 'vitest'
import { drainTopics } from '../../../../cli/topics/drain.ts'
import { createMemoryBroker } from '../../../../runtime/adapters/memory/broker.ts'
import type { Broker } from '../../../../runtime/ports/broker.ts'
import { createManualClock, type ManualClock } from '../../../harness/manual-clock.ts'

const TOPIC = 'shop.order-placed'
const GROUP = 'shop.packer'
let broker: Broker
let clock: ManualClock
let waits: string[]

beforeEach(async () => {
  clock = createManualClock()
  broker = createMemoryBroker({ clock })
  waits = []
  await broker.connect()
  await broker.admin.createTopics([{ topic: TOPIC, partitions: 2, replication: 1, config: {} }])
})

async function publish(count: number): Promise<void> {
  const producer = await broker.producer()
  const record = { topic: TOPIC, partition: 1, key: 'k', value: Buffer.from('v'), headers: {} }
  await producer.send(Array.from({ length: count }, () => record))
  await producer.close()
}

function commit(offset: number): Promise<void> {
  return broker.admin.setGroupOffsets(GROUP, [{ topic: TOPIC, partition: 1, offset, metadata: '' }])
}

/** Begins to drain; `ended` is what became of it, if anything has. */
function drain(agents: readonly string[] = [GROUP]): { ended: () => unknown } {
  let ended: unknown
  const readers = new Map([[TOPIC, agents]])
  const request = {
    admin: broker.admin,
    clock,
    readers,
    timeoutMs: 10_000,
    onWaiting: (text: string) => waits.push(text),
  }
  drainTopics(request).then(
    (written) => (ended = written.get(TOPIC)),
    (error: unknown) => (ended = error),
  )
  return { ended: () => ended }
}

describe('drainTopics', () => {
  it('waits until every reader has committed all there is, and says for what', async () => {
    await publish(5)
    await commit(2)
    const { ended } = drain()
    await clock.advance(3_000)
    expect(ended()).toBeUndefined()
    expect(waits).toEqual([`${TOPIC}: ${GROUP} has 3 events to finish`])
    await commit(5)
    await clock.advance(2_000)
    expect(ended()).toBe(5)
  })

  it('waits until nobody publishes any more', async () => {
    await publish(1)
    await commit(1)
    const { ended } = drain()
    await clock.advance(500)
    await publish(1)
    await commit(2)
    await clock.advance(1_000)
    expect(ended()).toBeUndefined()
    expect(waits).toEqual([`${TOPIC}: events are still published to it`])
    await clock.advance(1_000)
    expect(ended()).toBe(2)
  })

  it('gives up with the first thing that stands in the way', async () => {
    await publish(4)
    await commit(3)
    const { ended } = drain()
    await clock.advance(12_000)
    expect(ended()).toMatchObject({
      code: 'LABAN_TOPIC_IN_USE',
      details: { topic: TOPIC, problem: `${GROUP} has 1 events to finish`, timeoutMs: 10_000 },
    })
  })

  it('does not wait for an agent that has never read the topic', async () => {
    await publish(4)
    const { ended } = drain(['shop.planned'])
    await clock.advance(2_000)
    expect(ended()).toBe(4)
  })
})
