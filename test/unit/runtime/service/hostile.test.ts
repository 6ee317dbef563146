/** Handlers, rules and owners that behave as badly as they can: each ends where a person can see it, and none stops the process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { headerText } from '../../../../contracts/envelope.ts'
import { LabanError } from '../../../../contracts/errors.ts'
import type { LogFields, Logger } from '../../../../runtime/ports/logger.ts'
import { readDeadLetters } from '../../../../runtime/readback/dead-letters.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let fatal: unknown[]
const onFatal = (error: unknown): void => void fatal.push(error)

beforeEach(async () => {
  world = await memoryWorld()
  fatal = []
})

afterEach(async () => {
  await world.stop()
  expect(fatal).toEqual([])
})

/** Notes every line, as it would be written. */
function collectingLogger(lines: unknown[]): Logger {
  const note = (message: string, fields?: LogFields): void => void lines.push([message, fields])
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log }
  return log
}

describe('a handler', () => {
  it('may return null', async () => {
    const agent = testAgent({ name: 'test.null', consumes: 'test.in', handle: () => null as unknown as undefined })
    await world.start([agent], { onFatal })
    await world.publish('test.in', { text: 'x' })
    await world.untilFacts('completed', 1)
  })

  it('that throws one of our control errors has failed: its record is not left lying', async () => {
    const agent = testAgent({
      ...{ name: 'test.control', consumes: 'test.in', retry: { maxAttempts: 1 } },
      handle: () => Promise.reject(new LabanError('LABAN_SHUTDOWN')),
    })
    await world.start([agent], { onFatal })
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact?.errorCode).toBe('LABAN_HANDLER_FAILED')
  })

  it('that quotes personal fields in what it throws has them hidden in facts, dead letters and logs', async () => {
    const lines: unknown[] = []
    const agent = testAgent({
      ...{ name: 'test.talkative', consumes: 'test.personal', retry: { maxAttempts: 2, baseDelayMs: 1 } },
      handle: (event: Note) => {
        const { text } = event
        Object.assign(event, { text: 'changed' })
        throw new TypeError(`no mail for ${text}`, { cause: new Error(`mailbox of ${text}`) })
      },
    })
    await world.start([agent], { onFatal, log: collectingLogger(lines) })
    await world.publish('test.personal', { text: 'ann@example.org' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact?.errorMessage).toContain('no mail for ***')
    const [letter] = await readDeadLetters(world, 'test.talkative')
    expect(letter).toMatchObject({
      errorClass: 'TypeError',
      message: expect.stringContaining('no mail for ***') as string,
    })
    expect(letter?.stack).toContain('hostile.test.ts')
    const told = JSON.stringify([await world.facts(), letter?.message, letter?.stack, lines])
    expect(told).not.toContain('ann@example.org')
    expect(letter?.value?.toString('utf8')).toContain('ann@example.org')
  })

  it('that changes its event spoils nothing for the next attempt', async () => {
    const seen: string[] = []
    const agent = testAgent({
      ...{ name: 'test.spoiling', consumes: 'test.in', retry: { maxAttempts: 2, baseDelayMs: 1 } },
      handle: (event: { text: string }) => {
        seen.push(event.text)
        event.text = 'spoilt'
        if (seen.length === 1) throw new TypeError('once more')
      },
    })
    await world.start([agent], { onFatal })
    await world.publish('test.in', { text: 'fresh' })
    await world.untilFacts('completed', 1)
    expect(seen).toEqual(['fresh', 'fresh'])
  })

  it('that publishes after it has returned is told so, and its fact names only what was published', async () => {
    const late: unknown[] = []
    const agent = testAgent({
      ...{ name: 'test.late', consumes: 'test.in', produces: { maybe: ['test.out'] } },
      handle: (event: Note, { publish }: TestContext) => {
        publish('test.out', event)
        queueMicrotask(() => {
          try {
            publish('test.out', event)
          } catch (error) {
            late.push(error)
          }
        })
      },
    })
    await world.start([agent], { onFatal })
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('completed', 1)
    expect(fact?.outputs).toHaveLength(1)
    expect(await world.events('test.out')).toHaveLength(1)
    expect(late).toMatchObject([{ code: 'LABAN_HANDLER_OUTPUT' }])
  })

  it('that goes on after its time-out publishes nothing', async () => {
    const ends: (() => void)[] = []
    const agent = testAgent({
      ...{ name: 'test.overdue', consumes: 'test.in', produces: { maybe: ['test.out'] } },
      ...{ timeoutMs: 5, abortGraceMs: 1, retry: { maxAttempts: 2, baseDelayMs: 1 } },
      handle: async (event: Note, { publish, attempt }: TestContext) => {
        if (attempt === 1) await new Promise<void>((resolve) => ends.push(resolve))
        publish('test.out', { ...event, count: attempt })
      },
    })
    await world.start([agent], { onFatal })
    await world.publish('test.in', { text: 'x' })
    await world.untilFacts('completed', 1)
    for (const end of ends) end()
    expect((await world.events('test.out')).map((event) => event.note?.count)).toEqual([2])
  })
})

it('an accepts that cannot be evaluated sends its event to the dead letters', async () => {
  const agent = testAgent({
    ...{ name: 'test.dividing', consumes: 'test.in', handle: () => undefined },
    accepts: { 'test.in': 'event.text[0] == "x" || event.count / 0 > "a"' },
  })
  await world.start([agent], { onFatal })
  await world.publish('test.in', { text: 'y' })
  const [fact] = await world.untilFacts('dead-lettered', 1)
  expect(fact?.errorCode).toBe('LABAN_RULE_NOT_EVALUABLE')
})

it('a record with an impossible timestamp blocks nothing', async () => {
  const agent = testAgent({ name: 'test.any', consumes: 'test.in', handle: () => undefined })
  const { decodeEnvelope } = await import('../../../../contracts/envelope.ts')
  for (const timestampMs of [Number.NaN, 2 ** 53, -(2 ** 53), Infinity]) {
    const envelope = decodeEnvelope({}, { topic: 'test.in', partition: 0, offset: 0, timestampMs })
    expect(Date.parse(envelope.time)).not.toBeNaN()
  }
  await world.start([agent], { onFatal })
})

describe('a failure of a handling that somebody else owns meanwhile', () => {
  it('writes no dead letter and goes by what the owner says', async () => {
    await world.store.leases.renew('elsewhere', 60_000)
    const claims = world.store.claimsOf('test.usurped', { dedupMs: 1_000_000, joinTtlMs: 1_000_000 })
    const agent = testAgent({
      ...{ name: 'test.usurped', consumes: 'test.in', retry: { maxAttempts: 1 } },
      handle: async (_event: Note, { flowId }: TestContext) => {
        await claims.claim([{ flowId, handlingId: flowId, owner: 'elsewhere', from: 'absent' }])
        throw new TypeError('too late')
      },
    })
    await world.start([agent], { onFatal })
    const flowId = await world.publish('test.in', { text: 'x' })
    const ref = { flowId, handlingId: flowId }
    const isTaken = async (): Promise<boolean> => (await claims.read([ref]))[0]?.state !== 'absent'
    await waitFor(isTaken, { what: 'the other claim' })
    const [input] = await world.events('test.in')
    const position = { topic: 'test.in', partition: input?.partition ?? 0, offset: input?.offset ?? 0 }
    const from = { owner: 'elsewhere', attempt: 1 }
    const outputs = Buffer.from([1])
    await claims.compute([{ ...ref, owner: 'elsewhere', attempt: 1, from, position, outputs }])
    await claims.finish([ref])
    await world.untilFacts('duplicate', 1)
    expect(await world.events('test.usurped.dead-letter')).toEqual([])
  })
})

it('a dead letter keeps its bounds whatever was thrown', async () => {
  const thrown = Object.assign(new Error('m'.repeat(100_000)), {
    name: 'n'.repeat(100_000),
    stack: ['not', 'a', 'text'],
  })
  const agent = testAgent({
    ...{ name: 'test.loud', consumes: 'test.in', retry: { maxAttempts: 1 } },
    handle: () => Promise.reject(thrown),
  })
  await world.start([agent], { onFatal })
  await world.publish('test.in', { text: 'x' })
  const [letter] = await world.untilCount('test.loud.dead-letter', 1)
  for (const name of Object.keys(letter?.headers ?? {}))
    expect((headerText(letter?.headers ?? {}, name) ?? '').length).toBeLessThanOrEqual(4_096)
})
