/** Steps and effects of handlers on a memory stack: recorded once, replayed on every later attempt, never run under a lost claim. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { effectKey } from '../../../../contracts/ids.ts'
import type { Agent } from '../../../../runtime/agent.ts'
import { readJournal } from '../../../../runtime/journal/read-journal.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
/** What ran, in order. */
let runs: string[]

beforeEach(async () => {
  world = await memoryWorld()
  runs = []
})

afterEach(() => world.stop())

const SHORT_LEASE = {
  leaseMs: 300,
  limits: {
    maxOpen: 1_000,
    maxOpenBytes: 1_000_000,
    commitIntervalMs: 50,
    sessionTimeoutMs: 300,
    heartbeatIntervalMs: 50,
  },
}
const RETRY = { maxAttempts: 3, baseDelayMs: 1, maxDelayMs: 2 }

function agentOf(handle: (context: TestContext, event: Note) => Promise<void>, policies: object = {}): Agent {
  return testAgent({
    name: 'test.stepper',
    consumes: 'test.in',
    produces: { maybe: ['test.out'] },
    retry: RETRY,
    handle: (event: Note, context: TestContext) => handle(context, event),
    ...policies,
  })
}

/** A step that says that it ran. */
const note =
  <T>(name: string, result: T) =>
  (): T => {
    runs.push(name)
    return result
  }

const never = (): Promise<never> => new Promise(() => undefined)

/** One owner that dies in the middle, and an heir with another handler. */
async function dieThenRun(first: Agent, isIn: () => boolean, second: Agent): Promise<string> {
  const dead = await world.startMortal([first], { instance: 'dead', ...SHORT_LEASE })
  const id = await world.publish('test.in', { text: 'x' })
  await waitFor(isIn, { what: 'the first run to reach its middle' })
  dead.kill()
  await world.start([second], { instance: 'heir', ...SHORT_LEASE })
  return id
}

async function journalRecords(): Promise<{ key: Buffer | null; value: Buffer | null; headers: never }[]> {
  const events = await world.events('test.stepper.journal')
  return events.map(({ key, value, headers }) => ({
    key: key === null ? null : Buffer.from(key),
    value,
    headers: headers as never,
  }))
}

describe('a step', () => {
  it('is not run again by the next attempt, which gets the same result', async () => {
    const seen: unknown[] = []
    await world.start([
      agentOf(async ({ step, publish, attempt }) => {
        seen.push(await step('draw', note('draw', { number: Math.random(), at: new Date(5) })))
        if (attempt === 1) throw new Error('not yet')
        publish('test.out', { text: 'done' })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('completed', 1)
    expect(runs).toEqual(['draw'])
    expect(seen[1]).toStrictEqual(seen[0])
    expect(fact?.steps).toMatchObject([{ name: 'draw', replayed: true, cost: null }])
    const [retried] = await world.untilFacts('retried', 1)
    expect(retried?.steps).toMatchObject([{ name: 'draw', replayed: false }])
  })

  it('is replayed by whoever takes over', async () => {
    const handle = (isFirst: boolean) =>
      agentOf(async ({ step, publish }) => {
        const a = await step('a', note('a', 1))
        const b = await step('b', note('b', a + 1), { durable: true })
        if (isFirst) await step('c', () => (runs.push('begun c'), never()))
        publish('test.out', { text: 'out', count: await step('c', note('c', b + 1), { cost: (c) => c / 2 }) })
      })
    await dieThenRun(handle(true), () => runs.includes('begun c'), handle(false))
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note?.count).toBe(3)
    expect(runs).toEqual(['a', 'b', 'begun c', 'c'])
    const [fact] = await world.untilFacts('completed', 1)
    expect(fact).toMatchObject({
      attempt: 2,
      steps: [
        { name: 'a', replayed: true },
        { name: 'b', replayed: true },
        { name: 'c', replayed: false, cost: 1.5 },
      ],
    })
  })

  it('may run beside others, which are known by their names', async () => {
    let isFirst = true
    await world.start([
      agentOf(async ({ step, publish }) => {
        const both = await Promise.all([
          step('fast', note('fast', 1)),
          step('slow', async () => {
            runs.push('slow')
            if (isFirst) {
              isFirst = false
              await waitFor(() => runs.includes('fast'))
              throw new Error('once')
            }
            return 2
          }),
          step('after', note('after', 3)),
        ])
        publish('test.out', { text: 'out', count: both[0] + both[1] + both[2] })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note?.count).toBe(6)
    expect(runs.toSorted()).toEqual(['after', 'fast', 'slow', 'slow'])
  })

  it('that runs on beside one that failed is waited for by the next attempt, not paid for twice', async () => {
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    await world.start([
      agentOf(async ({ step, attempt, publish }) => {
        if (attempt === 2) open()
        await Promise.all([
          step('paid', () => (runs.push('paid'), gate.then(() => 1))),
          step('failing', () => {
            if (attempt === 1) throw new Error('at once')
            return 2
          }),
        ])
        publish('test.out', { text: 'out' })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    await world.untilCount('test.out', 1)
    expect(runs).toEqual(['paid'])
  })

  it('tries again by its own policy, and gives up on a terminal error', async () => {
    const tries: number[] = []
    await world.start([
      agentOf(async ({ step, publish }) => {
        const retry = { maxAttempts: 4, baseDelayMs: 1, multiplier: 3, jitter: 'none' } as const
        await step(
          'flaky',
          ({ tried }) => {
            tries.push(tried)
            if (tried < 3) throw new Error('again')
          },
          { retry },
        )
        publish('test.out', { text: 'out' })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    await world.untilFacts('completed', 1)
    expect(tries).toEqual([1, 2, 3])
    expect(await world.facts()).toHaveLength(1)
  })

  it('ends at its time-out, with its signal aborted', async () => {
    await world.start([
      agentOf(
        async ({ step }) => {
          await step(
            'slow',
            ({ signal }) =>
              new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
            { timeoutMs: 20 },
          )
        },
        { retry: { maxAttempts: 1 } },
      ),
    ])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({ errorCode: 'LABAN_STEP_TIMEOUT' })
    expect(fact?.errorMessage).toBe('Step slow of test.stepper did not finish within 20 ms')
  })

  it.each([
    ['has no form in JSON', () => ({ f: () => 1 }), 'LABAN_STEP_RESULT', 'at result.f: a function cannot be kept'],
    ['is too large', () => 'x'.repeat(70_000), 'LABAN_STEP_RESULT_TOO_LARGE', 'has 70002 bytes; the limit is 65536'],
  ])('whose result %s says so', async (_, result, errorCode, words) => {
    await world.start([agentOf(async ({ step }) => void (await step('big', result as () => unknown)))])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({ errorCode, attempt: 1, errorMessage: expect.stringContaining(words) as string })
    expect(fact?.errorMessage).toContain('step big of test.stepper')
  })

  it.each([
    [
      'uses a name twice',
      async ({ step }: TestContext) => void (await step('a', () => 1), await step('a', () => 2)),
      'two of this name',
    ],
    ['has no name', async ({ step }: TestContext) => void (await step('', () => 1)), 'its name has 0 bytes'],
    ['is not awaited', async ({ step }: TestContext) => void step('a', never), 'is an await missing?'],
  ])('that %s is refused', async (_, handle, words) => {
    await world.start([agentOf(handle)])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({
      errorCode: 'LABAN_STEP_MISUSE',
      errorMessage: expect.stringContaining(words) as string,
    })
  })

  it('of a handler that is not asynchronous is refused before it runs', async () => {
    await world.start([agentOf((({ step }: TestContext) => void step('a', note('a', 1))) as never)])
    await world.publish('test.in', { text: 'x' })
    await world.untilFacts('dead-lettered', 1)
    expect(runs).toEqual([])
  })

  it('leaves nothing in the store once its handling is done', async () => {
    await world.start([
      agentOf(
        async ({ step, publish }) => publish('test.out', { text: 'out', count: await step('a', () => 1) }) as never,
      ),
    ])
    const id = await world.publish('test.in', { text: 'x' })
    const ref = { flowId: id, handlingId: id }
    const claims = world.store.claimsOf('test.stepper', { dedupMs: 60_000, joinTtlMs: 60_000 })
    await waitFor(async () => (await claims.read([ref]))[0]?.state === 'done', { what: 'done' })
    expect((await claims.readJournal([ref]))[0]?.size).toBe(0)
  })
})

describe('a lost claim', () => {
  it('fences steps: what its old owner says afterwards is not kept, and its handler is aborted', async () => {
    const errors: unknown[] = []
    let go = (): void => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    await world.start(
      [
        agentOf(async ({ step }) => {
          await step('a', note('a', 1))
          await step('b', () => (runs.push('b'), gate.then(() => 'late'))).catch((error: unknown) => {
            errors.push(error)
            throw error
          })
        }),
      ],
      { instance: 'slow' },
    )
    const id = await world.publish('test.in', { text: 'x' })
    const ref = { flowId: id, handlingId: id }
    await waitFor(() => runs.includes('b'))
    const claims = world.store.claimsOf('test.stepper', { dedupMs: 60_000, joinTtlMs: 60_000 })
    await world.store.leases.renew('thief', 60_000)
    await claims.claim([{ ...ref, owner: 'thief', from: { owner: 'slow', attempt: 1 } }])
    go()
    await waitFor(() => errors.length === 1)
    expect(errors[0]).toMatchObject({ code: 'LABAN_LEASE_LOST' })
    expect([...((await claims.readJournal([ref]))[0]?.keys() ?? [])]).toEqual(['a'])
  })
})

describe('an effect', () => {
  it('gets the same key on every attempt and instance, made from event, agent and name', async () => {
    const keys: string[] = []
    const handle = (isFirst: boolean) =>
      agentOf(async ({ effect, publish }) => {
        await effect('charge', (key) => {
          keys.push(key)
          return isFirst ? never() : 'paid'
        })
        publish('test.out', { text: 'out' })
      })
    const id = await dieThenRun(handle(true), () => keys.length === 1, handle(false))
    await world.untilCount('test.out', 1)
    const key = effectKey('test.stepper', id, 'charge')
    expect(keys).toEqual([key, key])
  })

  it('asks reconcile first when a crash left its outcome unknown', async () => {
    const asked: string[] = []
    const handle = (isFirst: boolean) =>
      agentOf(async ({ effect, publish }) => {
        const charge = await effect('charge', () => (runs.push('charge'), isFirst ? never() : 'second'), {
          reconcile: (key) => {
            asked.push(key)
            return { found: 'first' }
          },
        })
        publish('test.out', { text: charge })
      })
    await dieThenRun(handle(true), () => runs.length === 1, handle(false))
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note?.text).toBe('first')
    expect(runs).toEqual(['charge'])
    expect(asked).toHaveLength(1)
  })

  it('runs with the same key when reconcile finds nothing, also after it threw', async () => {
    const keys: string[] = []
    await world.start([
      agentOf(async ({ effect, publish }) => {
        await effect(
          'charge',
          (key) => {
            keys.push(key)
            if (keys.length < 3) throw new Error('timed out')
            return 1
          },
          { retry: { maxAttempts: 2, baseDelayMs: 1 }, reconcile: () => (runs.push('asked'), undefined) },
        )
        publish('test.out', { text: 'out' })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    await world.untilCount('test.out', 1)
    expect(new Set(keys).size).toBe(1)
    expect(keys).toHaveLength(3)
    expect(runs).toEqual(['asked', 'asked'])
  })

  it('is not run again once its key is no longer valid', async () => {
    const handle = (isFirst: boolean) =>
      agentOf(async ({ effect }) => {
        await effect('charge', () => (runs.push('charge'), isFirst ? never() : 1), { keyValidForMs: 1 })
      })
    await dieThenRun(handle(true), () => runs.length === 1, handle(false))
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({ errorCode: 'LABAN_EFFECT_OUTCOME_UNKNOWN' })
    expect(runs).toEqual(['charge'])
  })

  it('stands on the journal before it runs and before its result is used', async () => {
    const seen: (boolean | undefined)[] = []
    const stateOf = async (id: string): Promise<boolean | undefined> => {
      const entry = readJournal(await journalRecords())
        .get(id)
        ?.entries.get('charge')
      return entry === undefined ? undefined : entry.result !== null
    }
    await world.start([
      agentOf(async ({ effect, publish, eventId }) => {
        await effect('charge', async () => void seen.push(await stateOf(eventId)))
        seen.push(await stateOf(eventId))
        publish('test.out', { text: 'out' })
      }),
    ])
    const id = await world.publish('test.in', { text: 'x' })
    await world.untilFacts('completed', 1)
    expect(seen).toEqual([false, true])
    const journal = readJournal(await journalRecords()).get(id)
    expect(journal?.computed?.outputs.map(({ topic }) => topic)).toEqual(['test.out'])
  })
})

describe('a new version with other steps', () => {
  const version = (names: readonly string[], policies: object = {}) =>
    agentOf(async ({ step, publish }) => {
      for (const name of names) await step(name, name === 'hang' ? () => (runs.push(name), never()) : note(name, name))
      publish('test.out', { text: 'out' })
    }, policies)

  it('that are appended goes on', async () => {
    await dieThenRun(version(['a', 'b', 'hang']), () => runs.includes('hang'), version(['a', 'b', 'c', 'd']))
    await world.untilCount('test.out', 1)
    expect(runs).toEqual(['a', 'b', 'hang', 'c', 'd'])
  })

  it.each([
    ['inserted', ['a', 'new', 'b'], 'recorded [a, b], now [a, new]'],
    ['renamed', ['a', 'B'], 'recorded [a, b], now [a, B]'],
    ['removed', ['a'], 'recorded [a, b], now [a]'],
  ])('of which one was %s is parked, naming both sequences, before anything new runs', async (_, names, words) => {
    await dieThenRun(version(['a', 'b', 'hang']), () => runs.includes('hang'), version(names))
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({
      errorCode: 'LABAN_STEP_MISMATCH',
      errorMessage: expect.stringContaining(words) as string,
    })
    expect(runs).toEqual(['a', 'b', 'hang'])
    expect(await world.events('test.out')).toEqual([])
  })

  it('runs them again where the agent says restart; effects stay done', async () => {
    const restarting = (isFirst: boolean) =>
      agentOf(
        async ({ step, effect, publish }) => {
          await step(isFirst ? 'a' : 'A', note(isFirst ? 'a' : 'A', 1))
          await effect('charge', note('charge', 2))
          if (isFirst) await step('hang', () => (runs.push('hang'), never()))
          await step('b', note('b', 3))
          publish('test.out', { text: 'out' })
        },
        { onStepMismatch: 'restart' },
      )
    await dieThenRun(restarting(true), () => runs.includes('hang'), restarting(false))
    await world.untilCount('test.out', 1)
    expect(runs).toEqual(['a', 'charge', 'hang', 'A', 'b'])
  })

  it('that a step replaced after it had failed, in the same version, is no mismatch', async () => {
    const handle = (isFirst: boolean) =>
      agentOf(async ({ step, publish }) => {
        const answer = await step('first-model', () => {
          runs.push('first-model')
          throw new Error('overloaded')
        }).catch(() => step('second-model', note('second-model', 'answer')))
        if (isFirst) await step('hang', () => (runs.push('hang'), never()))
        publish('test.out', { text: answer })
      })
    await dieThenRun(handle(true), () => runs.includes('hang'), handle(false))
    await world.untilCount('test.out', 1)
    expect(runs).toEqual(['first-model', 'second-model', 'hang', 'first-model'])
  })
})
