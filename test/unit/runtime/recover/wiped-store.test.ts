/** A store that is wiped while agents use it: what was known is read back from the log before any handler starts again. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SendFault } from '../../../../runtime/adapters/memory/faults.ts'
import type { OutgoingRecord } from '../../../../runtime/ports/broker.ts'
import type { ClaimStore, Store } from '../../../../runtime/ports/claim-store.ts'
import type { Service } from '../../../../runtime/service/service.ts'
import { terminal } from '../../../../runtime/outcomes.ts'
import { deskOf } from '../../../harness/desk.ts'
import { createSkippingClock } from '../../../harness/skipping-clock.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

const QUICK = {
  leaseMs: 300,
  limits: {
    ...{ maxOpen: 1_000, maxOpenBytes: 1_000_000, commitIntervalMs: 20 },
    ...{ sessionTimeoutMs: 300, heartbeatIntervalMs: 50 },
  },
}
const DAY_MS = 86_400_000

let world: Awaited<ReturnType<typeof memoryWorld>>
let sendFault: (records: readonly OutgoingRecord[]) => SendFault | undefined
let runs: string[]

beforeEach(async () => {
  sendFault = () => undefined
  runs = []
  world = await memoryWorld({ faults: { onSend: (records) => sendFault(records) } })
})
afterEach(() => world.stop())

const texts = async (): Promise<string[]> => (await world.events('test.out')).map(({ note }) => note?.text ?? '')
const wipe = (): void => world.memoryStore.faults.wipe()
const isReady = (service: Service): Promise<true> =>
  waitFor(() => service.health.isReady, { what: 'the service to be ready' })

const appendBroken = async (): Promise<unknown> => {
  const producer = await world.broker.producer()
  return producer.send([{ topic: 'test.in', key: 'broken', value: Buffer.from('broken'), headers: {} }])
}

/** Says which attempt it was: a second run of a handling would say something else. */
const copier = (policy: object = {}) =>
  testAgent({
    name: 'test.copy',
    consumes: 'test.in',
    produces: ['test.out'],
    ...policy,
    handle: (event: Note, { publish }: TestContext) => {
      runs.push(event.text)
      publish('test.out', { text: `${event.text} ${runs.length}` })
    },
  })

describe('a store that was wiped', () => {
  it('knows again what was done: a copy of an old event is skipped', async () => {
    const service = await world.start([copier()], QUICK)
    await world.publish('test.in', { text: 'x' }, { id: 'x' })
    await world.untilFacts('completed', 1)
    wipe()
    await world.publish('test.in', { text: 'x' }, { id: 'x', key: 'elsewhere' })
    await world.untilFacts('duplicate', 1)
    await isReady(service)
    expect(await texts()).toEqual(['x 1'])
  })

  it('is not asked for a lease that it has forgotten: handlers go on, and end once', async () => {
    let go = (): void => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    const aborted: unknown[] = []
    const slow = testAgent({
      name: 'test.slow',
      consumes: 'test.in',
      produces: ['test.out'],
      handle: async (event: Note, { publish, signal }: TestContext) => {
        runs.push(event.text)
        signal.addEventListener('abort', () => aborted.push(signal.reason))
        await gate
        publish('test.out', { text: `${event.text} ${runs.length}` })
      },
    })
    // Long enough that a busy machine does not let it lapse by itself.
    const calm = { ...QUICK, leaseMs: 1_500 }
    const service = await world.start([slow], calm)
    const other = await world.start([slow], calm)
    const holds = ({ health }: Service): number => health.agents[0]?.positions.length ?? 0
    await waitFor(() => holds(other) > 0 && holds(service) + holds(other) === 3, {
      what: 'the partitions to be shared',
    })
    const id = await world.publish('test.in', { text: 'x' })
    const claims = world.store.claimsOf('test.slow', { dedupMs: DAY_MS, joinTtlMs: DAY_MS })
    const claimed = async (): Promise<boolean> =>
      (await claims.read([{ flowId: id, handlingId: id }]))[0]?.state === 'claimed'
    await waitFor(claimed, { what: 'the claim' })
    wipe()
    await waitFor(() => !service.health.isReady, { what: 'the loss to be noticed' })
    expect(service.health.problems.join()).toMatch(/read back from the log/)
    await waitFor(claimed, { what: 'the claim to be told again' })
    await isReady(service)
    go()
    await world.untilFacts('completed', 1)
    expect(await texts()).toEqual(['x 1'])
    expect(aborted).toEqual([])
  })

  it('takes an output that stands on the log for the result of its event', async () => {
    // The process dies between the acknowledgement of its output and that of its fact.
    sendFault = (records) => (records.some(({ topic }) => topic === 'laban.facts') ? 'unavailable' : undefined)
    const { kill } = await world.startMortal([copier()], QUICK)
    await world.publish('test.in', { text: 'x' })
    await world.untilCount('test.out', 1)
    kill()
    wipe()
    sendFault = () => undefined
    await world.start([copier()], QUICK)
    await world.untilFacts('completed', 1)
    expect(new Set(await texts())).toEqual(new Set(['x 1']))
    expect(runs).toEqual(['x'])
  })

  it('goes on with what durable steps have recorded', async () => {
    const stepper = (isDoomed: boolean) =>
      testAgent({
        name: 'test.stepper',
        consumes: 'test.in',
        produces: ['test.out'],
        handle: async (_event: Note, { step, publish }: TestContext) => {
          const paid = await step('pay', () => runs.push('pay'), { durable: true })
          await step('end', () => (isDoomed ? new Promise<never>(() => runs.push('hang')) : runs.push('end')))
          publish('test.out', { text: String(paid) })
        },
      })
    const { kill } = await world.startMortal([stepper(true)], QUICK)
    await world.publish('test.in', { text: 'x' })
    await waitFor(() => runs.includes('hang'))
    kill()
    wipe()
    await world.start([stepper(false)], QUICK)
    const [fact] = await world.untilFacts('completed', 1)
    expect(runs).toEqual(['pay', 'hang', 'end'])
    expect(fact?.attempt).toBe(2)
  })

  it('lets sleepers sleep on, and wakes them once', async () => {
    const clock = createSkippingClock()
    const sleeper = testAgent({
      name: 'test.sleeper',
      consumes: 'test.in',
      produces: ['test.out'],
      handle: async (event: Note, { step, sleep, publish }: TestContext) => {
        await step('before', () => runs.push('before'), { durable: true })
        await sleep('night', DAY_MS / 2)
        publish('test.out', { text: event.text })
      },
    })
    const service = await world.start([sleeper], { clock })
    await world.publish('test.in', { text: 'x' }, { id: 'x' })
    await world.untilFacts('suspended', 1)
    await waitFor(() => service.health.agents[0]?.sleeping === 1, { what: 'the timer to be kept' })
    wipe()
    // A copy of the event finds that the timer is the work.
    await world.publish('test.in', { text: 'x' }, { id: 'x', key: 'elsewhere' })
    const [skipped] = await world.untilFacts('duplicate', 1)
    expect(skipped?.detail).toEqual({ found: 'handed' })
    clock.skip(DAY_MS / 2)
    await world.untilFacts('completed', 1)
    expect(runs).toEqual(['before'])
    expect(await texts()).toEqual(['x'])
  })

  it('keeps the order of keys behind a failed event, and its dead letter is redriven once', async () => {
    const desk = await deskOf(world)
    let isBroken = true
    const failing = testAgent({
      name: 'test.failing',
      consumes: 'test.in',
      produces: ['test.out'],
      handle: (event: Note, { publish }: TestContext) => {
        runs.push(event.text)
        if (isBroken && event.text === 'bad') throw terminal('not yet')
        publish('test.out', { text: event.text }, { key: 'same' })
      },
    })
    await world.start([failing], QUICK)
    await world.publish('test.in', { text: 'bad' }, { id: 'bad', key: 'k' })
    await world.publish('test.in', { text: 'two' }, { id: 'two', key: 'k' })
    await world.untilFacts('suspended', 1)
    wipe()
    await world.publish('test.in', { text: 'three' }, { id: 'three', key: 'k' })
    await world.publish('test.in', { text: 'bad' }, { id: 'bad', key: 'elsewhere' })
    await world.untilFacts('suspended', 2)
    const skipped = (await world.untilFacts('duplicate', 1)).map(({ detail }) => detail['found'])
    expect(skipped).toEqual(['dead'])
    const [letter] = await desk.letters('test.failing')
    if (letter === undefined) throw new Error('no dead letter')
    isBroken = false
    await desk.redrive(letter)
    await world.untilFacts('completed', 3)
    expect(await texts()).toEqual(['bad', 'two', 'three'])
    wipe()
    await desk.redrive(letter)
    await world.untilFacts('duplicate', 2)
    expect(runs).toEqual(['bad', 'bad', 'two', 'three'])
    await desk.close()
  })

  it.each([
    ['a failed event', 'LABAN_HANDLER_REJECTED', () => world.publish('test.in', { text: 'bad' })],
    ['a broken record', 'LABAN_CONTRACT_DECODE', () => appendBroken()],
  ])('ends the dead letter of %s of which the fact is missing', async (_, code, append) => {
    // The process dies between the acknowledgement of the letter and that of its fact.
    sendFault = (records) => (records.some(({ topic }) => topic === 'laban.facts') ? 'unavailable' : undefined)
    const failing = testAgent({
      name: 'test.failing',
      consumes: 'test.in',
      handle: (event: Note) => {
        runs.push(event.text)
        throw terminal('no')
      },
    })
    const { kill } = await world.startMortal([failing], QUICK)
    await append()
    const desk = await deskOf(world)
    await waitFor(async () => (await desk.letters('test.failing')).length === 1, { what: 'a dead letter' })
    const ran = runs.length
    kill()
    wipe()
    sendFault = () => undefined
    await world.start([failing], QUICK)
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact?.errorCode).toBe(code)
    expect(runs).toHaveLength(ran)
    const letters = await desk.letters('test.failing')
    expect(letters.map(({ status, generation, parks }) => [status, generation, parks])).toEqual([
      ['open', 1, ran === 1],
    ])
    await desk.close()
  })

  it('keeps the order of a key although it is lost while an event is handed over', async () => {
    let isHeld = true
    let attempts = 0
    sendFault = (records) => {
      if (!isHeld || !records.some(({ topic }) => topic.startsWith('test.flaky.retry.'))) return undefined
      attempts++
      return 'unavailable'
    }
    const flaky = testAgent({
      name: 'test.flaky',
      consumes: 'test.in',
      retry: { maxAttempts: 2, laneAttempts: 1, tiersMs: [60_000] },
      handle: ({ text }: Note) => {
        runs.push(text)
        if (text === 'bad') throw new Error('not yet')
      },
    })
    await world.start([flaky], QUICK)
    await world.publish('test.in', { text: 'bad' }, { key: 'k' })
    await waitFor(() => attempts > 0, { what: 'the hand-over to be held up' })
    wipe()
    // Somebody reads the index back before the record is there.
    const [input] = await world.events('test.in')
    await world.store.parkingOf('test.flaky').fill({ topic: 'test.in', partition: input?.partition ?? 0 }, [])
    isHeld = false
    await world.untilFacts('retried', 1)
    await world.publish('test.in', { text: 'two' }, { key: 'k' })
    await world.untilFacts('suspended', 1)
    expect(runs).toEqual(['bad'])
  })

  it('lets a retried event wait for its time', async () => {
    const flaky = testAgent({
      name: 'test.flaky',
      consumes: 'test.in',
      produces: ['test.out'],
      retry: { maxAttempts: 3, laneAttempts: 1, tiersMs: [400] },
      handle: (event: Note, { publish, attempt }: TestContext) => {
        runs.push(`${event.text} ${attempt}`)
        if (attempt === 1) throw new Error('not yet')
        publish('test.out', { text: event.text })
      },
    })
    await world.start([flaky], QUICK)
    await world.publish('test.in', { text: 'x' }, { id: 'x' })
    await world.untilFacts('retried', 1)
    wipe()
    await world.publish('test.in', { text: 'x' }, { id: 'x', key: 'elsewhere' })
    await world.untilFacts('duplicate', 1)
    await world.untilFacts('completed', 1)
    expect(runs).toEqual(['x 1', 'x 2'])
  })
})

describe('joins in a store that was wiped', () => {
  const joiner = testAgent({
    name: 'test.joiner',
    consumes: { all: ['test.left', 'test.right'] },
    produces: ['test.out'],
    handle: (events: Record<'test.left' | 'test.right', Note>, { publish }) => {
      runs.push('fired')
      publish('test.out', { text: `${events['test.left'].text}+${events['test.right'].text}` })
    },
  })
  const say = async (topic: 'test.left' | 'test.right', flowId: string, text: string): Promise<void> => {
    const id = await world.publish('test.other', {}, { id: text })
    const headers = { ce_id: id, ce_correlationid: flowId, 'laban-hop': '1' }
    await world.append(topic, world.codec.encode(topic, { text, count: 0 }), headers, flowId)
  }

  it('know the members that wait, and that they have fired', async () => {
    await world.start([joiner], QUICK)
    const flowId = await world.publish('test.other', {}, { id: 'flow' })
    await say('test.left', flowId, 'l')
    await world.untilFacts('waiting', 1)
    wipe()
    await say('test.right', flowId, 'r')
    await world.untilFacts('completed', 1)
    expect(await texts()).toEqual(['l+r'])
    wipe()
    await say('test.left', flowId, 'l')
    await world.untilFacts('duplicate', 1)
    await say('test.left', flowId, 'l2')
    await world.untilFacts('late', 1)
    expect(runs).toEqual(['fired'])
  })

  it('fire although the store is lost between a member and its record on the log', async () => {
    let isHeld = true
    sendFault = (records) =>
      isHeld && records.some(({ topic }) => topic === 'test.joiner.waiting') ? 'unavailable' : undefined
    const taken: string[][] = []
    const store: Store = {
      ...world.store,
      claimsOf: (agent, options) => {
        const claims = world.store.claimsOf(agent, options)
        const join: ClaimStore['join'] = async (requests) => {
          const answers = await claims.join(requests)
          taken.push(...answers.map(({ have }) => [...have]))
          return answers
        }
        return { ...claims, join }
      },
    }
    await world.start([joiner], { ...QUICK, store })
    const flowId = await world.publish('test.other', {}, { id: 'flow' })
    await say('test.left', flowId, 'l')
    await waitFor(() => taken.length === 1, { what: 'the first member' })
    wipe()
    await say('test.right', flowId, 'r')
    await waitFor(() => taken.length === 2, { what: 'the other member' })
    expect(taken[1]).toEqual(['test.right'])
    isHeld = false
    await world.untilFacts('completed', 1)
    expect(await texts()).toEqual(['l+r'])
  })
})
