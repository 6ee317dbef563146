/** What one agent does with its records, on the memory stack: outputs, retries, dead letters, duplicates, other owners. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { headerText } from '../../../../contracts/envelope.ts'
import { LabanError } from '../../../../contracts/errors.ts'
import { outputId } from '../../../../contracts/ids.ts'
import { terminal } from '../../../../runtime/outcomes.ts'
import { memoryWorld, testAgent, type Note } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>

beforeEach(async () => {
  world = await memoryWorld()
})

afterEach(() => world.stop())

const echo = testAgent({
  name: 'test.echo',
  consumes: 'test.in',
  produces: ['test.out'],
  handle: (event: Note, { publish }) => void publish('test.out', { text: event.text, count: event.count + 1 }),
})

describe('a handling that succeeds', () => {
  it('publishes one output with a derived id, its flow, its cause and the next hop', async () => {
    await world.start([echo])
    const flowId = await world.publish('test.in', { text: 'hello', count: 1 })
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note).toEqual({ text: 'hello', count: 2 })
    expect(out?.key).toBe(flowId)
    expect(out?.envelope).toMatchObject({
      id: outputId('test.echo', flowId, 'handle', 'test.out', '0'),
      source: 'test.echo',
      flowId,
      causes: [flowId],
      hop: 1,
    })
  })

  it('leaves a fact that points at input and output', async () => {
    await world.start([echo])
    const flowId = await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('completed', 1)
    const [out] = await world.events('test.out')
    expect(fact).toMatchObject({ flowId, agent: 'test.echo', handlingId: flowId, attempt: 1 })
    expect(fact?.inputs).toMatchObject([{ eventId: flowId, topic: 'test.in', hop: 0 }])
    expect(fact?.outputs).toMatchObject([{ eventId: out?.envelope.id, partition: out?.partition, offset: out?.offset }])
  })

  it('handles a foreign event under the id of its position', async () => {
    await world.start([echo])
    await world.append('test.in', world.codec.encode('test.in', { text: 'foreign', count: 0 }))
    const [out] = await world.untilCount('test.out', 1)
    const [input] = await world.events('test.in')
    expect(out?.envelope.causes).toEqual([input?.envelope.id])
    expect(input?.envelope.foreign).toBe(true)
  })

  it('keeps the order of a key while other keys overtake', async () => {
    const seen: string[] = []
    const slowFirst = testAgent({
      name: 'test.slow-first',
      consumes: 'test.in',
      handle: async (event: Note) => {
        if (event.text === 'a0') await waitFor(() => seen.includes('b'), { what: 'the other key to overtake' })
        seen.push(event.text)
      },
    })
    await world.start([slowFirst])
    for (const text of ['a0', 'a1', 'a2']) await world.publish('test.in', { text }, { key: 'a' })
    await world.publish('test.in', { text: 'b' }, { key: 'b' })
    await world.untilFacts('completed', 4)
    expect(seen).toEqual(['b', 'a0', 'a1', 'a2'])
  })
})

describe('a handling that fails', () => {
  it('is retried in its lane and shows nothing of failed attempts', async () => {
    let attempts = 0
    const flaky = testAgent({
      name: 'test.flaky',
      consumes: 'test.in',
      produces: ['test.out'],
      retry: { maxAttempts: 3, baseDelayMs: 1, maxDelayMs: 2 },
      handle: (event: Note, { publish, attempt }) => {
        attempts++
        publish('test.out', { text: event.text, count: attempt })
        if (attempt < 3) throw new LabanError('LABAN_HANDLER_FAILED', { agent: 'x', problem: 'not yet' })
      },
    })
    await world.start([flaky])
    await world.publish('test.in', { text: 'x' })
    const [out] = await world.untilCount('test.out', 1)
    await world.untilFacts('completed', 1)
    expect(out?.note?.count).toBe(3)
    expect(attempts).toBe(3)
    expect(await world.events('test.out')).toHaveLength(1)
    expect((await world.facts()).filter((fact) => fact.outcome === 'retried').map((fact) => fact.attempt)).toEqual([
      1, 2,
    ])
  })

  it('ends in the dead letters with raw bytes, original headers and the reason after the last attempt', async () => {
    const failing = testAgent({
      name: 'test.failing',
      consumes: 'test.in',
      retry: { maxAttempts: 2, baseDelayMs: 1 },
      handle: () => Promise.reject(new TypeError('no such thing')),
    })
    await world.start([failing])
    const flowId = await world.publish('test.in', { text: 'x' })
    const [letter] = await world.untilCount('test.failing.dead-letter', 1)
    const [input] = await world.events('test.in')
    expect(letter?.value?.equals(input?.value ?? Buffer.alloc(0))).toBe(true)
    expect(letter?.envelope.id).toBe(flowId)
    const header = (name: string): string | undefined => headerText(letter?.headers ?? {}, name)
    expect(header('laban-dlq-reason')).toBe('LABAN_ATTEMPTS_EXHAUSTED')
    expect(header('laban-dlq-error-class')).toBe('TypeError')
    expect(header('laban-dlq-error-message')).toContain('no such thing')
    expect(header('laban-dlq-attempts')).toBe('2')
    expect(header('laban-dlq-topic')).toBe('test.in')
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({ errorCode: 'LABAN_ATTEMPTS_EXHAUSTED', attempt: 2 })
  })

  it('goes straight to the dead letters when the handler says terminal', async () => {
    let attempts = 0
    const refusing = testAgent({
      name: 'test.refusing',
      consumes: 'test.in',
      handle: () => {
        attempts++
        throw terminal('this applicant does not exist')
      },
    })
    await world.start([refusing])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(attempts).toBe(1)
    expect(fact).toMatchObject({ errorCode: 'LABAN_HANDLER_REJECTED', errorMessage: 'this applicant does not exist' })
  })

  it('times out, aborts its signal and starts the next attempt only when the old one has settled', async () => {
    const running: number[] = []
    let overlaps = 0
    const stuck = testAgent({
      name: 'test.stuck',
      consumes: 'test.in',
      timeoutMs: 20,
      retry: { maxAttempts: 2, baseDelayMs: 1 },
      handle: async (_event: Note, { signal, attempt }) => {
        if (running.length > 0) overlaps++
        running.push(attempt)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        running.pop()
      },
    })
    await world.start([stuck])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact?.errorMessage).toContain('did not finish within 20 ms')
    expect(overlaps).toBe(0)
  })

  it.each([
    ['publishes none of oneOf', [] as const, 'none of'],
    ['publishes both of oneOf', ['test.out', 'test.other'] as const, 'instead of exactly one'],
  ])('is dead-lettered when it %s', async (_what, topics, problem) => {
    const chooser = testAgent({
      name: 'test.chooser',
      consumes: 'test.in',
      produces: { oneOf: ['test.out', 'test.other'] },
      handle: (_event: Note, { publish }) => topics.forEach((topic) => publish(topic, { text: 'x' })),
    })
    await world.start([chooser])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({ errorCode: 'LABAN_HANDLER_OUTPUT' })
    expect(fact?.errorMessage).toContain(problem)
    expect(await world.events('test.out')).toHaveLength(0)
  })

  it('is dead-lettered when it does not publish what it always does', async () => {
    const silent = testAgent({
      name: 'test.silent',
      consumes: 'test.in',
      produces: ['test.out'],
      handle: () => undefined,
    })
    await world.start([silent])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact?.errorMessage).toContain('did not publish test.out')
  })
})

describe('records that cannot be handled', () => {
  it.each([
    ['garbage', Buffer.from('garbage'), 'LABAN_CONTRACT_DECODE'],
    ['a null value', null, 'LABAN_CONTRACT_DECODE'],
    ['an unknown schema id', Buffer.from([0, 0x11, 0x22, 0x33, 0x44, 1]), 'LABAN_CONTRACT_UNKNOWN_SCHEMA'],
  ])('%s ends in the dead letters while others go on', async (_what, value, code) => {
    await world.start([echo])
    await world.append('test.in', value)
    await world.publish('test.in', { text: 'good' }, { key: 'stranger' })
    const [letter] = await world.untilCount('test.echo.dead-letter', 1)
    const [out] = await world.untilCount('test.out', 1)
    expect(headerText(letter?.headers ?? {}, 'laban-dlq-reason')).toBe(code)
    expect(out?.note?.text).toBe('good')
  })

  it('a broken rule is a dead letter that names the rule', async () => {
    const reader = testAgent({ name: 'test.reader', consumes: 'test.ruled', handle: () => undefined })
    await world.start([reader])
    const schemaId = world.codec.encode('test.ruled', { text: '', count: 0 }).readUInt32BE(1)
    const bad = world.codec.encode('test.in', { text: 'x', count: -1 })
    bad.writeUInt32BE(schemaId, 1)
    await world.append('test.ruled', bad)
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({ errorCode: 'LABAN_CONTRACT_RULE' })
    expect(fact?.errorMessage).toContain('not-negative')
  })

  it('an event that accepts refuses ends as rejected, without a run and without a dead letter', async () => {
    let runs = 0
    const picky = testAgent({
      name: 'test.picky',
      consumes: 'test.in',
      accepts: { 'test.in': 'event.count >= 5' },
      handle: () => void runs++,
    })
    await world.start([picky])
    await world.publish('test.in', { count: 4 })
    await world.publish('test.in', { count: 5 })
    await world.untilFacts('completed', 1)
    const [rejected] = await world.untilFacts('rejected', 1)
    expect(rejected?.detail).toMatchObject({ accepts: 'event.count >= 5' })
    expect(runs).toBe(1)
    expect(await world.events('test.picky.dead-letter')).toHaveLength(0)
  })
})

describe('the same event again', () => {
  it('is skipped with a fact, wherever it lies', async () => {
    await world.start([echo])
    await world.publish('test.in', { text: 'x' }, { id: 'same', key: 'first' })
    await world.untilFacts('completed', 1)
    await world.publish('test.in', { text: 'x' }, { id: 'same', key: 'second key, other partition' })
    await world.untilFacts('duplicate', 1)
    expect(await world.events('test.out')).toHaveLength(1)
  })

  it('is skipped when both copies arrive together', async () => {
    await world.start([echo])
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        world.publish('test.in', { text: 'x' }, { id: 'same', key: `k${index}` }),
      ),
    )
    await world.untilFacts('duplicate', 19)
    expect(await world.events('test.out')).toHaveLength(1)
  })

  it('is handled twice when dedup is off: the test above can fail', async () => {
    await world.start([echo], { dedup: false })
    await world.publish('test.in', { text: 'x' }, { id: 'same' })
    await world.publish('test.in', { text: 'x' }, { id: 'same' })
    expect(await world.untilCount('test.out', 2)).toHaveLength(2)
  })
})
