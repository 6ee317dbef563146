/** A publish that the broker refuses keeps its own record and lane, and nobody else's. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>

beforeEach(async () => {
  world = await memoryWorld()
})

afterEach(() => world.stop())

it('of one topic does not hold up handlings that were published together with it', async () => {
  const router = testAgent({
    ...{ name: 'test.router', consumes: 'test.in', produces: { oneOf: ['test.out', 'test.other'] } },
    handle: (event: Note, { publish }: TestContext) =>
      void publish(event.count === 0 ? 'test.out' : 'test.other', event),
  })
  const EVENTS = 40
  await world.broker.admin.setTopicConfig('test.other', { 'max.message.bytes': '100' })
  for (let index = 0; index < EVENTS; index++) await world.publish('test.in', { count: index === 7 ? 1 : 0 })
  const service = await world.start([router])
  await waitFor(() => service.health.agents[0]?.blocked === 1, { what: 'the refusal to show' })
  await world.untilFacts('completed', EVENTS - 1)
  const outs = await world.events('test.out')
  expect(new Set(outs.map((out) => out.envelope.id)).size).toBe(EVENTS - 1)
  await world.broker.admin.setTopicConfig('test.other', { 'max.message.bytes': '1000000' })
  await world.untilCount('test.other', 1)
  await world.untilFacts('completed', EVENTS)
})
