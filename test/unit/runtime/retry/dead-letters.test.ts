/** Dead letters of an agent: redriven, given up, replaced; and what happens to the events of their key meanwhile. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { terminal } from '../../../../runtime/outcomes.ts'
import { deskOf } from '../../../harness/desk.ts'
import { memoryWorld, testAgent, type Note, type TestContext, type World } from '../../../harness/world.ts'
import { createSkippingClock } from '../../../harness/skipping-clock.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let desk: Awaited<ReturnType<typeof deskOf>>
let isBroken: boolean
let runs: string[]

beforeEach(async () => {
  world = await memoryWorld()
  desk = await deskOf(world)
  isBroken = true
  runs = []
})
afterEach(async () => {
  await desk.close()
  await world.stop()
})

const DAY_MS = 86_400_000
const AGENT = 'test.copy'
const copier = (policy: object = {}) =>
  testAgent({
    name: AGENT,
    consumes: 'test.in',
    produces: ['test.out'],
    retry: { maxAttempts: 2, baseDelayMs: 1 },
    ...policy,
    handle: (event: Note, { publish, attempt }: TestContext) => {
      runs.push(`${event.text}#${attempt}`)
      if (isBroken && event.text.startsWith('bad')) throw new Error('not yet')
      if (event.text === 'never') throw terminal('no')
      publish('test.out', event, { key: 'same' })
    },
  })

const publish = (text: string, key = 'k'): Promise<string> => world.publish('test.in', { text }, { id: text, key })

async function texts(of: World = world): Promise<string[]> {
  return (await of.events('test.out')).map(({ note }) => note?.text ?? '')
}

async function oneLetter() {
  const letters = await waitFor(async () => pick(await desk.letters(AGENT)), { what: 'a dead letter' })
  return letters.at(-1) as NonNullable<(typeof letters)[number]>
}
const pick = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)

describe('a dead letter', () => {
  it('is redriven once, under its own id; its successors wait for it and follow in their order', async () => {
    await world.start([copier()])
    const flowId = await publish('bad-1')
    await publish('two')
    await publish('three')
    await publish('other', 'another key')
    await waitFor(async () => (await world.untilFacts('suspended', 2)).length === 2, { what: 'two parked' })
    expect(await texts()).toEqual(['other'])
    const letter = await oneLetter()
    expect(letter).toMatchObject({
      eventId: flowId,
      generation: 1,
      status: 'open',
      attempts: 2,
      code: 'LABAN_ATTEMPTS_EXHAUSTED',
    })

    isBroken = false
    await desk.redrive(letter)
    await desk.redrive(letter)
    await waitFor(async () => (await texts()).length === 4, { what: 'all outputs' })
    expect((await texts()).filter((text) => text !== 'other')).toEqual(['bad-1', 'two', 'three'])
    await waitFor(async () => (await desk.letters(AGENT))[0]?.status === 'resolved', {
      what: 'the letter to be resolved',
    })
    await desk.redrive(letter)
    await waitFor(async () => (await world.facts()).filter(({ outcome }) => outcome === 'duplicate').length >= 2, {
      what: 'the second and third redrive to be skipped',
    })
    expect(runs.filter((run) => run.startsWith('bad-1'))).toEqual(['bad-1#1', 'bad-1#2', 'bad-1#3'])
    await publish('four')
    await waitFor(async () => (await texts()).includes('four'), { what: 'the lane to go on' })
  })

  it('counts its generations, and an older one cannot be redriven any more', async () => {
    await world.start([copier()])
    await publish('bad')
    const first = await oneLetter()
    await desk.redrive(first)
    await waitFor(async () => (await desk.letters(AGENT)).length === 2, { what: 'the second dead letter' })
    const [old, second] = await desk.letters(AGENT)
    expect([old?.status, second?.status, second?.generation]).toEqual(['failed-again', 'open', 2])
    isBroken = false
    await desk.redrive(first)
    await world.untilFacts('duplicate', 1)
    expect(runs).toHaveLength(4)
    if (second !== undefined) await desk.redrive(second)
    await world.untilCount('test.out', 1)
    expect(runs).toHaveLength(5)
  })

  it('that is discarded lets its successors go', async () => {
    await world.start([copier()])
    await publish('bad')
    await publish('next')
    await world.untilFacts('suspended', 1)
    await desk.discard(await oneLetter(), 'a test')
    await world.untilCount('test.out', 1)
    expect(await texts()).toEqual(['next'])
    expect((await desk.letters(AGENT))[0]).toMatchObject({ status: 'discarded', note: 'a test' })
    expect((await world.untilFacts('dead-lettered', 2)).map(({ detail }) => detail['reason'])).toContain('a test')
  })

  it('that its topic has forgotten holds its successors up no longer', async () => {
    const clock = createSkippingClock()
    await world.start([copier()], { clock })
    await publish('bad')
    await publish('next')
    await publish('after that')
    await world.untilFacts('suspended', 2)
    await oneLetter()
    clock.skip(29 * DAY_MS)
    await publish('other', 'another key')
    await world.untilCount('test.out', 1)
    expect(await texts()).toEqual(['other'])
    await waitFor(
      async () => {
        clock.skip(DAY_MS / 4)
        return (await texts()).length === 3
      },
      { what: 'the successors to go on' },
    )
    expect(await texts()).toEqual(['other', 'next', 'after that'])
    await publish('last')
    await world.untilCount('test.out', 4)
    expect(runs.filter((run) => run.startsWith('bad'))).toEqual(['bad#1', 'bad#2'])
  })

  it('is replaced by a corrected event, which refers to it and takes its place', async () => {
    await world.start([copier()])
    const old = await publish('never')
    await publish('next')
    const letter = await oneLetter()
    expect(await desk.valueOf(letter)).toEqual({ text: 'never', count: 0 })
    await expect(desk.replace(letter, { text: 5 })).rejects.toMatchObject({ code: 'LABAN_CONTRACT_VALIDATION' })
    const id = await desk.replace(letter, { text: 'mended', count: 0 })
    expect(await desk.replace(letter, { text: 'mended', count: 0 })).toBe(id)
    await world.untilCount('test.out', 2)
    expect(await texts()).toEqual(['mended', 'next'])
    const [output] = await world.events('test.out')
    expect(output?.envelope).toMatchObject({ causes: [id], flowId: old })
    expect((await desk.letters(AGENT))[0]).toMatchObject({ status: 'replaced', note: id })
  })

  it('of a record that is broken holds nobody up', async () => {
    await world.start([copier()])
    await world.append('test.in', Buffer.from('garbage'), {}, 'k')
    await publish('next')
    await world.untilCount('test.out', 1)
    expect(await texts()).toEqual(['next'])
  })

  it("does not hold its key up with order: 'none'", async () => {
    await world.start([copier({ order: 'none' })])
    await publish('bad')
    await publish('next')
    await world.untilCount('test.out', 1)
    expect(await texts()).toEqual(['next'])
  })
})

describe('a retry topic', () => {
  it('takes what has failed too often in its lane; attempts go on counting, successors follow', async () => {
    await world.start([copier({ retry: { maxAttempts: 5, laneAttempts: 2, tiersMs: [30, 60], baseDelayMs: 1 } })])
    await publish('bad-1')
    await publish('two')
    await waitFor(() => runs.includes('bad-1#3'), { what: 'an attempt from the first retry topic' })
    await waitFor(() => runs.includes('bad-1#4'), { what: 'an attempt from the second one' })
    const letter = await oneLetter()
    expect(letter).toMatchObject({ attempts: 4, generation: 1 })
    expect(await texts()).toEqual([])
    const [first, second] = [await world.events(`${AGENT}.retry.30ms`), await world.events(`${AGENT}.retry.60ms`)]
    expect([first.length, second.length]).toEqual([1, 1])
    isBroken = false
    await desk.redrive(letter)
    await world.untilCount('test.out', 2)
    expect(await texts()).toEqual(['bad-1', 'two'])
    expect(runs.filter((run) => run.startsWith('bad'))).toEqual(['bad-1#1', 'bad-1#2', 'bad-1#3', 'bad-1#4', 'bad-1#5'])
  })

  it('ends well when the cause has gone', async () => {
    await world.start([copier({ retry: { laneAttempts: 1, tiersMs: [50] } })])
    await publish('bad-1')
    await world.untilFacts('retried', 1)
    isBroken = false
    await world.untilCount('test.out', 1)
    expect(runs).toEqual(['bad-1#1', 'bad-1#2'])
  })
})

describe('an order that was lost with the store', () => {
  it('is read back from the log', async () => {
    await world.start([copier()])
    await publish('bad-1')
    await publish('two')
    await world.untilFacts('suspended', 1)
    world.memoryStore.faults.wipe()
    await publish('three')
    await waitFor(async () => (await world.untilFacts('suspended', 2)).length >= 2, {
      what: 'the third to be parked too',
    })
    isBroken = false
    await desk.redrive(await oneLetter())
    await world.untilCount('test.out', 3)
    expect(await texts()).toEqual(['bad-1', 'two', 'three'])
  })
})

describe('an agent of which everything fails', () => {
  it('stops consuming and says so, instead of draining its topic into the dead letters', async () => {
    const service = await world.start([copier({ maxInFlight: 1, retry: { maxAttempts: 1 } })])
    for (let count = 0; count < 40; count++) await publish(`bad-${count}`, `key ${count}`)
    await waitFor(() => !service.health.isReady, { what: 'not ready' })
    expect(service.health.problems.join()).toContain('20 of its last 20 records failed')
    await publish('good', 'key 99')
    expect(await desk.letters(AGENT)).toHaveLength(20)
    expect(runs).toHaveLength(20)
  })
})
