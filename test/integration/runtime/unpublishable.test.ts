/**
 * Outputs that Kafka never takes, because their topic is gone or its limit is too low: dead letters that name them, after which other
 * keys go on; a redrive publishes what was recorded. The store is in memory.
 */
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { physicalTopic } from '../../../contracts/contract.ts'
import { createFolderRegistry } from '../../../contracts/registry-folder.ts'
import { plannedTopic } from '../../../contracts/topic-plan.ts'
import { createMemoryStore } from '../../../runtime/adapters/memory/store.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { deskOf } from '../../harness/desk.ts'
import { cuttableClient } from '../../harness/kafka-client.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import { testAgent, testContracts, worldOn, type Note, type TestContext, type World } from '../../harness/world.ts'

const AGENT = 'test.router'
const TIMEOUT_MS = 60_000
const namespace = uniqueName('unpublishable')
let world: World
let desk: Awaited<ReturnType<typeof deskOf>>
const runs: string[] = []

beforeAll(async () => {
  const { broker } = cuttableClient(await stackAddress('brokers'), namespace)
  world = await worldOn(
    broker,
    createMemoryStore({ clock: systemClock }),
    createFolderRegistry(testContracts),
    namespace,
  )
  const router = testAgent({
    ...{ name: AGENT, consumes: 'test.in', produces: { oneOf: ['test.out', 'test.other'] }, retry: { laneMs: 1_000 } },
    handle: (event: Note, { publish }: TestContext) => {
      runs.push(event.text)
      publish(event.count === 0 ? 'test.out' : 'test.other', event)
    },
  })
  await world.start([router])
  desk = await deskOf(world)
}, TIMEOUT_MS)
afterAll(async () => {
  await desk.close()
  await world.stop()
}, TIMEOUT_MS)

const openLetters = async () => (await desk.letters(AGENT)).filter(({ status }) => status === 'open')

async function givenUp(text: string, mend: () => Promise<void>, problem: string): Promise<void> {
  const before = (await world.events('test.out')).length
  await world.publish('test.in', { text, count: 1 })
  await world.publish('test.in', { text: `${text} aside` })
  await world.untilCount('test.out', before + 1)
  const [letter] = await waitFor(
    async () => {
      const found = await openLetters()
      return found.length > 0 ? found : undefined
    },
    { timeoutMs: 30_000, what: 'the dead letter' },
  )
  if (letter === undefined) throw new Error('no dead letter')
  expect(letter.code).toBe('LABAN_OUTPUT_UNPUBLISHABLE')
  expect(letter.message).toContain('cannot be published to test.other')
  expect(letter.message).toContain(problem)
  await mend()
  await desk.redrive(letter)
  await waitFor(async () => (await world.events('test.other')).some(({ note }) => note?.text === text), {
    timeoutMs: 30_000,
    what: 'the redriven output',
  })
  expect(runs.filter((run) => run === text)).toHaveLength(1)
}

it('larger than their topic allows', { timeout: TIMEOUT_MS }, async () => {
  const limit = (bytes: number): Promise<void> =>
    world.broker.admin.setTopicConfig('test.other', { 'max.message.bytes': String(bytes) })
  await limit(100)
  await givenUp('large', () => limit(1_000_000), 'the limit is')
})

it('for a topic that is gone', { timeout: TIMEOUT_MS }, async () => {
  const admin = new Kafka({ brokers: [...(await stackAddress('brokers'))], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [physicalTopic('test.other', namespace)] })
  await admin.disconnect()
  const again = (): Promise<void> => world.broker.admin.createTopics([plannedTopic(testContracts.get('test.other'))])
  await givenUp('gone', again, 'UNKNOWN_TOPIC')
})
