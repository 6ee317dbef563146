/** Joins on the memory stack: once per flow, with the first event of each topic, whatever is delivered again. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { joinHandlingId } from '../../../../contracts/ids.ts'
import { memoryWorld, testAgent, type Note } from '../../../harness/world.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>

beforeEach(async () => {
  world = await memoryWorld()
})

afterEach(() => world.stop())

const fork = (name: string, topic: 'test.left' | 'test.right') =>
  testAgent({
    name,
    consumes: 'test.in',
    produces: [topic],
    handle: (event: Note, { publish }) => void publish(topic, { text: `${event.text}-${topic}`, count: event.count }),
  })

const joiner = testAgent({
  name: 'test.joiner',
  consumes: { all: ['test.left', 'test.right'] },
  produces: ['test.out'],
  handle: (events: Record<'test.left' | 'test.right', Note>, { publish }) =>
    void publish('test.out', { text: `${events['test.left'].text}+${events['test.right'].text}` }),
})

describe('a join', () => {
  it('fires once per flow with one event of each topic', async () => {
    await world.start([fork('test.a', 'test.left'), fork('test.b', 'test.right'), joiner])
    for (let index = 0; index < 50; index++) await world.publish('test.in', { text: `n${index}` }, { id: `n${index}` })
    const outs = await world.untilCount('test.out', 50)
    await world.untilFacts('completed', 150)
    expect(new Set(outs.map((out) => out.note?.text)).size).toBe(50)
    expect(outs[0]?.note?.text).toMatch(/^(n\d+)-test\.left\+\1-test\.right$/)
  })

  it('names all its members as causes and takes the largest hop', async () => {
    await world.start([fork('test.a', 'test.left'), fork('test.b', 'test.right'), joiner])
    const flowId = await world.publish('test.in', { text: 'x' })
    const [out] = await world.untilCount('test.out', 1)
    const [left] = await world.events('test.left')
    const [right] = await world.events('test.right')
    expect(new Set(out?.envelope.causes)).toEqual(new Set([left?.envelope.id, right?.envelope.id]))
    expect(out?.envelope.hop).toBe(2)
    const facts = (await world.untilFacts('completed', 3)).filter((fact) => fact.agent === 'test.joiner')
    expect(facts).toHaveLength(1)
    expect(facts[0]?.handlingId).toBe(joinHandlingId('test.joiner', flowId))
    expect(facts[0]?.inputs).toHaveLength(2)
  })

  it('hands an incomplete member over to the waiting topic, with a fact that names what is missing', async () => {
    await world.start([fork('test.a', 'test.left'), joiner])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('waiting', 1)
    expect(fact?.detail).toEqual({ have: 'test.left', missing: 'test.right' })
    expect(await world.events('test.joiner.waiting')).toHaveLength(1)
    expect(await world.events('test.out')).toHaveLength(0)
  })

  it('keeps the first event of a topic: a second one is a fact and never overwrites', async () => {
    await world.start([joiner])
    const flowId = await world.publish('test.in', {}, { id: 'flow' })
    const send = async (topic: 'test.left' | 'test.right', text: string, id: string): Promise<void> => {
      await world.append(
        topic,
        world.codec.encode(topic, { text, count: 0 }),
        {
          ce_id: await world.publish('test.other', {}, { id }),
          ce_correlationid: flowId,
          'laban-hop': '1',
        },
        flowId,
      )
    }
    await send('test.left', '680', 'one')
    await send('test.left', '750', 'two')
    await world.untilFacts('late', 1)
    await send('test.right', 'right', 'three')
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note?.text).toBe('680+right')
    await send('test.left', '800', 'four')
    await world.untilFacts('late', 2)
    expect(await world.events('test.out')).toHaveLength(1)
  })

  it('is not fired again by a redelivered member', async () => {
    await world.start([joiner])
    const flowId = await world.publish('test.in', {}, { id: 'flow' })
    const left = await world.publish('test.other', {}, { id: 'l' })
    const right = await world.publish('test.other', {}, { id: 'r' })
    const headers = (id: string) => ({ ce_id: id, ce_correlationid: flowId, 'laban-hop': '1' })
    await world.append('test.left', world.codec.encode('test.left', { text: 'l', count: 0 }), headers(left), flowId)
    await world.append('test.right', world.codec.encode('test.right', { text: 'r', count: 0 }), headers(right), flowId)
    await world.untilCount('test.out', 1)
    await world.untilFacts('completed', 1)
    await world.append('test.left', world.codec.encode('test.left', { text: 'l', count: 0 }), headers(left), flowId)
    await world.untilFacts('duplicate', 1)
    expect(await world.events('test.out')).toHaveLength(1)
  })

  it('that fails sends every member to the dead letters', async () => {
    const failing = testAgent({
      name: 'test.failing-join',
      consumes: { all: ['test.left', 'test.right'] },
      retry: { maxAttempts: 1 },
      handle: () => Promise.reject(new RangeError('no')),
    })
    await world.start([fork('test.a', 'test.left'), fork('test.b', 'test.right'), failing])
    await world.publish('test.in', { text: 'x' })
    const letters = await world.untilCount('test.failing-join.dead-letter', 2)
    expect(new Set(letters.map((letter) => letter.envelope.type))).toEqual(new Set(['test.left', 'test.right']))
  })
})
