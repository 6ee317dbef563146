/** Diagnosis of agents at work, in memory: the store is asked, commits are looked at, and whatever a person may mean is found. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createContractSet, type ContractSet } from '../../../../contracts/contract-set.ts'
import { momentaryFact } from '../../../../contracts/fact.ts'
import { deriveId } from '../../../../contracts/ids.ts'
import { openDesk } from '../../../../runtime/dead-letter-desk.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import { readDeadLetters } from '../../../../runtime/readback/dead-letters.ts'
import type { Store } from '../../../../runtime/ports/claim-store.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'
import { createDiagnostician, type Diagnostician } from '../../../../runtime/diagnose/diagnostician.ts'
import { patientCodec } from '../../../../runtime/diagnose/patient-codec.ts'
import { logFlowSource } from '../../../../runtime/readback/flow-source.ts'
import { LabanError } from '../../../../contracts/errors.ts'
import { terminal } from '../../../../runtime/outcomes.ts'
import { rootOf, rootsOf } from '../../../../tracing/diagnose/verdict.ts'
import {
  memoryWorld,
  noteSchema,
  testAgent,
  testContracts,
  TOPICS,
  type Note,
  type TestTopic,
} from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

type MemoryWorld = Awaited<ReturnType<typeof memoryWorld>>

let world: MemoryWorld
beforeEach(async () => {
  world = await memoryWorld()
})
afterEach(() => world.stop())

function diagnostician(
  store: (() => Promise<Store>) | undefined = () => Promise.resolve(world.store),
  contracts = testContracts,
): Diagnostician {
  const { broker, registry } = world
  const codec = patientCodec(contracts, registry)
  const source = logFlowSource({ broker, contracts, codec })
  const asked = store === undefined ? {} : { store }
  return createDiagnostician({ broker, contracts, codec, clock: systemClock, source, ...asked })
}

/** Contracts of a world in which the owner of one topic expects reactions in time. */
function expecting(topic: TestTopic, within: number): ContractSet {
  const rows = TOPICS.map((name) => {
    const row = { schema: noteSchema, owner: 'tests', partitions: 3 }
    return [name, name === topic ? { ...row, expects: { within } } : row] as const
  })
  return createContractSet(Object.fromEntries(rows))
}

/** Facts of so many flows that have begun some minutes ago, and no event on its topic. */
async function tellOfBegun(count: number): Promise<void> {
  const producer = await world.broker.producer()
  await producer.send(
    Array.from({ length: count }, (_, index) => {
      const flowId = deriveId('begun', String(index))
      const outputs = [{ eventId: flowId, topic: 'test.in', partition: 0, offset: 1_000 + index, hash: '', key: null }]
      const said = {
        outcome: 'published',
        flowId,
        agent: 'till',
        instance: 'till-1',
        handlingId: flowId,
        outputs,
      } as const
      const fact = momentaryFact(Date.now() - 300_000 + index, said)
      return { topic: 'laban.facts', key: flowId, value: world.codec.encode('laban.facts', fact), headers: {} }
    }),
  )
  await producer.close()
}

/** Handles notes; what it waits for is opened from outside. */
function gate(name = 'test.gate'): { readonly agent: ReturnType<typeof testAgent>; open(): void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const agent = testAgent({
    name,
    consumes: 'test.in',
    produces: ['test.out'],
    async handle(note: Note, { step, publish }) {
      if (note.text === 'poison') throw terminal('poison')
      await step('look', () => 'seen')
      await step('wait', () => opened.then(() => 'opened'))
      publish('test.out', { text: note.text })
    },
  })
  return { agent, open }
}

async function told(id: string, code: string, from = diagnostician()): Promise<void> {
  await waitFor(async () => rootOf((await from.why(id)).verdict).code === code, { timeoutMs: 10_000, what: code })
}

describe('a diagnostician', () => {
  it('follows an event from its agent at work to its end', async () => {
    const { agent, open } = gate()
    const service = await world.start([agent])
    const id = await world.publish('test.in', { text: 'one' })
    await told(id, 'running')
    const running = await diagnostician().why(id)
    expect(running.verdict.evidence).toContainEqual(
      expect.objectContaining({ name: 'claim', value: `claimed by ${service.instance}, attempt 1` }),
    )
    expect(running.verdict.sentence).toContain('after step look')
    open()
    await told(id, 'completed')
  })

  it('tells who comes first when a key is in order, and what is parked behind a dead letter', async () => {
    const { agent, open } = gate()
    await world.start([agent])
    const first = await world.publish('test.in', { text: 'one' }, { key: 'ann' })
    await told(first, 'running')
    const second = await world.publish('test.in', { text: 'two' }, { key: 'ann' })
    const behind = await diagnostician().why(second)
    expect(behind.verdict).toMatchObject({
      code: 'behind-key',
      causes: [{ code: 'running', subject: { eventId: first } }],
    })
    open()
    await told(second, 'completed')
    const poisoned = await world.publish('test.in', { text: 'poison' }, { key: 'ben' })
    await told(poisoned, 'dead-lettered')
    const parked = await world.publish('test.in', { text: 'three' }, { key: 'ben' })
    await waitFor(async () => (await diagnostician().why(parked)).verdict.code === 'parked-behind', {
      timeoutMs: 10_000,
    })
    const { verdict } = await diagnostician().why(parked)
    expect(rootsOf(verdict)).toMatchObject([{ code: 'dead-lettered', subject: { flowId: poisoned } }])
    const stuck = async (): Promise<unknown> =>
      (await diagnostician().stuck()).groups.map(({ cause, flows }) => [cause.code, flows])
    await waitFor(async () => JSON.stringify(await stuck()) === JSON.stringify([['dead-lettered', 2]]), {
      what: 'both flows to be listed under one cause',
    })
  })

  it('finds what a person may mean: a key, a place, an event that is no flow, and says when there is nothing', async () => {
    const { agent, open } = gate()
    open()
    await world.start([agent])
    const id = await world.publish('test.in', { text: 'one' }, { key: 'cleo' })
    await told(id, 'completed')
    const out = (await world.untilCount('test.out', 1))[0]
    expect((await diagnostician().why('cleo')).flowId).toBe(id)
    expect(await diagnostician().why(out?.envelope.id ?? '')).toMatchObject({
      flowId: id,
      verdict: { code: 'completed' },
    })
    const [at] = await world.events('test.in')
    expect((await diagnostician().why(`test.in/${at?.partition ?? 0}@${at?.offset ?? 0}`)).flowId).toBe(id)
    await world.append('test.other', world.codec.encode('test.other', { text: 'x', count: 0 }), {}, 'stranger-1')
    expect((await diagnostician().why('stranger-1')).verdict).toMatchObject({ code: 'no-subscriber' })
    expect((await diagnostician().why('nobody')).verdict.code).toBe('unknown-id')
    expect((await diagnostician().why(crypto.randomUUID())).verdict.code).toBe('unknown-id')
  })

  it('names a store that is away, and goes without one that cannot be asked', async () => {
    const { agent } = gate()
    const service = await world.start([agent])
    const id = await world.publish('test.in', { text: 'one' })
    await told(id, 'running')
    const refused = new LabanError('LABAN_STORE_UNAVAILABLE', { url: 'redis://x', problem: 'refused' })
    expect((await diagnostician(() => Promise.reject(refused)).why(id)).verdict.code).toBe('store-unavailable')
    const silent = diagnostician(() => new Promise(() => undefined))
    expect((await silent.why(id)).verdict).toMatchObject({ code: 'store-unavailable' })
    expect((await diagnostician(undefined).why(id)).verdict.standing).toBe('moving')
    await service.stop()
    expect((await diagnostician(undefined).why(id)).verdict.code).toBe('no-live-consumer')
  })

  it('lists what an agent that does not run has not reached, also of strangers', async () => {
    const { agent, open } = gate()
    open()
    const service = await world.start([agent])
    await told(await world.publish('test.in', { text: 'one' }), 'completed')
    await service.stop()
    for (const text of ['two', 'three']) await world.publish('test.in', { text })
    await world.append('test.in', world.codec.encode('test.in', { text: 'x', count: 0 }))
    const report = await waitFor(async () => {
      const found = await diagnostician().stuck()
      return found.groups[0]?.flows === 3 ? found : undefined
    })
    expect(report.groups).toMatchObject([
      { cause: { code: 'no-live-consumer', subject: { agent: 'test.gate' } }, flows: 3 },
    ])
  })

  it('names a flow with a fact of a newer laban, and lists the others all the same', async () => {
    const { agent, open } = gate()
    open()
    await world.start([agent])
    const newer = await world.publish('test.in', { text: 'one' })
    await told(newer, 'completed')
    const poisoned = await world.publish('test.in', { text: 'poison' })
    await told(poisoned, 'dead-lettered')
    const [fact] = (await world.facts()).filter(({ flowId }) => flowId === newer)
    const { broker, codec } = world
    const producer = await broker.producer()
    await producer.send([
      {
        topic: 'laban.facts',
        key: newer,
        value: codec.encode('laban.facts', { ...fact, formatVersion: 99 }),
        headers: {},
      },
    ])
    await producer.close()
    const listed = async (): Promise<unknown> =>
      (await diagnostician().stuck()).groups.map(({ cause, examples }) => [cause.code, examples])
    await waitFor(async () => JSON.stringify(await listed()).includes(poisoned), {
      what: 'the dead letter to be listed',
    })
    expect(await listed()).toEqual(
      expect.arrayContaining([
        ['version-mismatch', [newer]],
        ['dead-lettered', [poisoned]],
      ]),
    )
  })

  it('lists what is late by its contract though its handler runs', async () => {
    const { agent, open } = gate()
    await world.start([agent])
    const id = await world.publish('test.left', { text: 'one' })
    const flow = await world.publish('test.in', { text: 'one' })
    await told(flow, 'running')
    expect((await diagnostician().stuck()).groups).toEqual([])
    const late = diagnostician(undefined, expecting('test.in', 50))
    const report = await waitFor(async () => {
      const found = await late.stuck()
      return found.groups.length > 0 ? found : undefined
    })
    expect(report.groups).toMatchObject([{ cause: { code: 'late', subject: { flowId: flow } }, examples: [flow] }])
    expect(report.groups[0]?.cause.sentence).toContain('its contract expects that within 50 ms')
    expect((await late.why(id)).verdict.code).toBe('no-subscriber')
    open()
  })

  it('counts all that stand, and looks at the oldest of those that look alike', async () => {
    const { agent, open } = gate()
    open()
    const service = await world.start([agent])
    await service.stop()
    await tellOfBegun(120)
    const report = await diagnostician().stuck()
    expect(report).toMatchObject({ unfinished: 120, looked: 100, moving: 0 })
    expect(report.groups).toMatchObject([{ cause: { code: 'no-live-consumer' }, flows: 120, alike: 20 }])
    expect(report.unseen).toContainEqual(expect.stringContaining('120 flows are unfinished; 100 were looked at'))
  })

  it('reports two contents of one id by their values, and one content twice not', async () => {
    const { agent, open } = gate()
    open()
    await world.start([agent])
    const same = await world.publish('test.in', { text: 'one' }, { id: 'same' })
    await world.publish('test.in', { text: 'one' }, { id: 'same' })
    const differing = await world.publish('test.in', { text: 'one' }, { id: 'differing' })
    await world.publish('test.in', { text: 'two' }, { id: 'differing' })
    await world.untilFacts('duplicate', 2)
    for (const id of [same, differing]) await told(id, 'completed')
    expect((await diagnostician().why(same)).also).toEqual([])
    const { also } = await diagnostician().why(differing)
    expect(also).toMatchObject([{ code: 'id-conflict', standing: 'notice', subject: { eventId: differing } }])
    expect(also[0]?.evidence).toHaveLength(2)
  })

  it('lists no dead letter that was given up', async () => {
    const { agent, open } = gate()
    open()
    await world.start([agent])
    const id = await world.publish('test.in', { text: 'poison' })
    await told(id, 'dead-lettered')
    const { broker, codec } = world
    const desk = await openDesk({ broker, codec, contracts: testContracts, clock: systemClock, log: silentLogger })
    const [letter] = await readDeadLetters(world, 'test.gate')
    if (letter === undefined) throw new Error('there is a dead letter')
    await desk.discard(letter, 'test data', 'ana')
    await desk.close()
    await told(id, 'discarded')
    const { verdict } = await diagnostician().why(id)
    expect(verdict.sentence).toMatch(
      /^test\.gate failed, and its dead letter was discarded by ana at 20.*Z: test data$/,
    )
    await waitFor(async () => (await diagnostician().stuck()).groups.length === 0, { what: 'nothing to be listed' })
  })
})
