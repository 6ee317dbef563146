/** Steps of handlers on a memory stack: recorded once, replayed on every later attempt, never run under a lost claim. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResultStore } from '../../../../runtime/ports/result-store.ts'
import { memoryWorld, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'
import { agentOf, dieThenRun, Runs } from './step-agents.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let runs: Runs

beforeEach(async () => {
  world = await memoryWorld()
  runs = new Runs()
})

afterEach(() => world.stop())

describe('a step', () => {
  it('is not run again by the next attempt, which gets the same result', async () => {
    const seen: unknown[] = []
    await world.start([
      agentOf(async ({ step, publish, attempt }) => {
        seen.push(await step('draw', runs.note('draw', { number: Math.random(), at: new Date(5) })))
        if (attempt === 1) throw new Error('not yet')
        publish('test.out', { text: 'done' })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    const [fact] = await world.untilFacts('completed', 1)
    expect(runs.names).toEqual(['draw'])
    expect(seen[1]).toStrictEqual(seen[0])
    expect(fact?.steps).toMatchObject([{ name: 'draw', replayed: true, cost: null }])
    const [retried] = await world.untilFacts('retried', 1)
    expect(retried?.steps).toMatchObject([{ name: 'draw', replayed: false }])
  })

  it('is replayed by whoever takes over', async () => {
    const handle = (isFirst: boolean) =>
      agentOf(async ({ step, publish }) => {
        const a = await step('a', runs.note('a', 1))
        const b = await step('b', runs.note('b', a + 1), { durable: true })
        if (isFirst) await step('c', runs.hang('begun c'))
        publish('test.out', { text: 'out', count: await step('c', runs.note('c', b + 1), { cost: (c) => c / 2 }) })
      })
    await dieThenRun(world, handle(true), () => runs.names.includes('begun c'), handle(false))
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note?.count).toBe(3)
    expect(runs.names).toEqual(['a', 'b', 'begun c', 'c'])
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
          step('fast', runs.note('fast', 1)),
          step('slow', async () => {
            runs.names.push('slow')
            if (isFirst) {
              isFirst = false
              await waitFor(() => runs.names.includes('fast'))
              throw new Error('once')
            }
            return 2
          }),
          step('after', runs.note('after', 3)),
        ])
        publish('test.out', { text: 'out', count: both[0] + both[1] + both[2] })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note?.count).toBe(6)
    expect(runs.names.toSorted()).toEqual(['after', 'fast', 'slow', 'slow'])
  })

  it('that runs on beside one that failed is waited for by the next attempt, not paid for twice', async () => {
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    await world.start([
      agentOf(async ({ step, attempt, publish }) => {
        if (attempt === 2) open()
        await Promise.all([
          step('paid', () => (runs.names.push('paid'), gate.then(() => 1))),
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
    expect(runs.names).toEqual(['paid'])
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
    ['is not awaited', async ({ step }: TestContext) => void step('a', runs.hang('a')), 'is an await missing?'],
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
    await world.start([agentOf((({ step }: TestContext) => void step('a', runs.note('a', 1))) as never)])
    await world.publish('test.in', { text: 'x' })
    await world.untilFacts('dead-lettered', 1)
    expect(runs.names).toEqual([])
  })

  it('keeps a large result elsewhere, where there is a place', async () => {
    const files = new Map<string, Buffer>()
    const results: ResultStore = {
      put: async (id, bytes) => void files.set(id, bytes),
      get: async (id) => files.get(id),
    }
    const seen: string[] = []
    const handle = agentOf(async ({ step, attempt, publish }) => {
      seen.push(await step('big', () => 'x'.repeat(70_000)))
      if (attempt === 1) throw new Error('again')
      publish('test.out', { text: 'out' })
    })
    await world.start([handle], { results })
    const id = await world.publish('test.in', { text: 'x' })
    await world.untilCount('test.out', 1)
    expect(seen.map((text) => text.length)).toEqual([70_000, 70_000])
    expect([...files.keys()][0]).toMatch(new RegExp(`^test\\.stepper/${id}/[0-9a-f]{64}$`))
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
          await step('a', runs.note('a', 1))
          await step('b', () => (runs.names.push('b'), gate.then(() => 'late'))).catch((error: unknown) => {
            errors.push(error)
            throw error
          })
        }),
      ],
      { instance: 'slow' },
    )
    const id = await world.publish('test.in', { text: 'x' })
    const ref = { flowId: id, handlingId: id }
    await waitFor(() => runs.names.includes('b'))
    const claims = world.store.claimsOf('test.stepper', { dedupMs: 60_000, joinTtlMs: 60_000 })
    await world.store.leases.renew('thief', 60_000)
    await claims.claim([{ ...ref, owner: 'thief', from: { owner: 'slow', attempt: 1 } }])
    go()
    await waitFor(() => errors.length === 1)
    expect(errors[0]).toMatchObject({ code: 'LABAN_LEASE_LOST' })
    expect([...((await claims.readJournal([ref]))[0]?.keys() ?? [])]).toEqual(['a'])
  })
})
