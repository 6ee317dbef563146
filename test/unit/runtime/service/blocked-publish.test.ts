/** A publish that the broker refuses keeps its own record and lane, and nobody else's; one that it will never take is a dead letter. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFolderRegistry } from '../../../../contracts/registry-folder.ts'
import { createMemoryBroker } from '../../../../runtime/adapters/memory/broker.ts'
import { createMemoryStore } from '../../../../runtime/adapters/memory/store.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'
import { deskOf } from '../../../harness/desk.ts'
import { refusingBroker } from '../../../harness/refusing-broker.ts'
import { testAgent, testContracts, worldOn, type Note, type TestContext, type World } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

const AGENT = 'test.router'
let refused: Set<string>
let world: World
let desk: Awaited<ReturnType<typeof deskOf>>
let runs: string[]

beforeEach(async () => {
  refused = new Set()
  runs = []
  const broker = refusingBroker(createMemoryBroker({ clock: systemClock }), refused)
  world = await worldOn(broker, createMemoryStore({ clock: systemClock }), createFolderRegistry(testContracts), '')
  desk = await deskOf(world)
})
afterEach(async () => {
  await desk.close()
  await world.stop()
})

/** Sends what counts nothing to test.out, anything else to test.other, and 2 to both. */
const router = (laneMs = 60_000, slowMs = 0) =>
  testAgent({
    ...{ name: AGENT, consumes: 'test.in', produces: { maybe: ['test.out', 'test.other'] }, retry: { laneMs } },
    handle: (event: Note, { publish }: TestContext) => {
      runs.push(event.text)
      const say = (): void => {
        if (event.count !== 1) publish('test.out', event, { key: 'k' })
        if (event.count > 0) publish('test.other', event, { key: 'k' })
      }
      if (slowMs === 0) return say()
      return new Promise<void>((resolve) => setTimeout(resolve, slowMs)).then(say)
    },
  })

async function texts(topic: string): Promise<readonly string[]> {
  return [...new Set((await world.events(topic)).map(({ note }) => note?.text ?? ''))]
}

async function oneLetter() {
  const letters = await waitFor(async () => pick(await desk.letters(AGENT)), { what: 'a dead letter' })
  expect(letters).toHaveLength(1)
  return letters[0] as NonNullable<(typeof letters)[number]>
}
const pick = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)

describe('a refused publish', () => {
  it('of one topic does not hold up handlings that were published together with it, and goes on once it is mended', async () => {
    const EVENTS = 40
    refused.add('test.other')
    for (let index = 0; index < EVENTS; index++) await world.publish('test.in', { count: index === 7 ? 1 : 0 })
    const service = await world.start([router()])
    await waitFor(() => service.health.agents[0]?.blocked === 1, { what: 'the refusal to show' })
    await world.untilFacts('completed', EVENTS - 1)
    const outs = await world.events('test.out')
    expect(new Set(outs.map((out) => out.envelope.id)).size).toBe(EVENTS - 1)
    expect(service.health.isReady).toBe(false)
    refused.clear()
    await world.untilCount('test.other', 1)
    await world.untilFacts('completed', EVENTS)
    expect(await desk.letters(AGENT)).toEqual([])
  })
})

describe.each([
  ['whose handler ends at once', 0],
  ['whose handler took its time', 50],
])('an output that the broker never takes, %s', (_, slowMs) => {
  it('is a dead letter that names it; a redrive publishes what was recorded, without the handler', async () => {
    refused.add('test.other')
    const service = await world.start([router(200, slowMs)])
    const flowId = await world.publish('test.in', { text: 'both', count: 2 }, { key: 'a' })
    await world.publish('test.in', { text: 'behind' }, { key: 'a' })
    await world.publish('test.in', { text: 'elsewhere' }, { key: 'b' })
    const letter = await oneLetter()
    expect(letter).toMatchObject({ eventId: flowId, code: 'LABAN_OUTPUT_UNPUBLISHABLE', status: 'open' })
    expect(letter.message).toMatch(
      /Output [0-9a-f-]{36} of test.router cannot be published to test.other: .*no such topic/,
    )
    await waitFor(async () => (await texts('test.out')).includes('elsewhere'), { what: 'the other key' })
    await world.untilFacts('suspended', 1)
    expect(service.health.agents[0]?.blocked).toBe(0)
    expect(await texts('test.out')).not.toContain('behind')

    await desk.redrive(letter)
    await waitFor(async () => (await desk.letters(AGENT)).length === 2, {
      what: 'a dead letter of the next generation',
    })
    refused.clear()
    for (const again of (await desk.letters(AGENT)).filter(({ status }) => status === 'open')) await desk.redrive(again)
    await waitFor(async () => (await texts('test.out')).includes('behind'), { what: 'its successor' })
    expect(await texts('test.other')).toEqual(['both'])
    expect(runs.filter((text) => text === 'both')).toHaveLength(1)
    await waitFor(async () => (await desk.letters(AGENT)).every(({ status }) => status !== 'open'))
    expect((await desk.letters(AGENT)).map(({ status }) => status)).toEqual(['failed-again', 'resolved'])
  })

  it('because it is too large for its topic, is one too', async () => {
    await world.broker.admin.setTopicConfig('test.other', { 'max.message.bytes': '100' })
    await world.start([router(200, slowMs)])
    await world.publish('test.in', { text: 'large', count: 1 })
    expect(await oneLetter()).toMatchObject({ code: 'LABAN_OUTPUT_UNPUBLISHABLE' })
    expect((await oneLetter()).message).toContain('the limit is 100')
    await world.broker.admin.setTopicConfig('test.other', { 'max.message.bytes': '1000000' })
    await desk.redrive(await oneLetter())
    await world.untilCount('test.other', 1)
    expect(runs).toEqual(['large'])
  })
})

it('given up by the one who took over from a dead owner, is a dead letter too', async () => {
  refused.add('test.other')
  const quick = {
    maxOpen: 100,
    maxOpenBytes: 1e6,
    commitIntervalMs: 20,
    sessionTimeoutMs: 250,
    heartbeatIntervalMs: 50,
  }
  const dead = await world.startMortal([router()], { instance: 'dead', leaseMs: 200, limits: quick })
  await world.publish('test.in', { text: 'both', count: 2 })
  await waitFor(() => dead.service.health.agents[0]?.blocked === 1, { what: 'the refusal to show' })
  dead.kill()
  await world.start([router(100)], { instance: 'heir', leaseMs: 200, limits: quick })
  const letter = await oneLetter()
  expect(letter).toMatchObject({ code: 'LABAN_OUTPUT_UNPUBLISHABLE', instance: 'heir' })
  refused.clear()
  await desk.redrive(letter)
  await world.untilCount('test.other', 1)
  expect(runs).toEqual(['both'])
})
