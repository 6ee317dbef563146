/**
 * I3 through retries, parking and redrives: whatever fails how often, and whoever joins, leaves or dies meanwhile, the events of a key
 * are completed in the order in which they lie. Judged from the log alone: outputs of one key share a partition.
 */
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deskOf } from '../../harness/desk.ts'
import { waitFor } from '../../harness/wait.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../harness/world.ts'

const AGENT = 'test.fickle'
const RUNS = 24
const AT_ONCE = 12
const TIMEOUT_MS = 60_000

type Happening =
  | { readonly kind: 'publish'; readonly key: number; readonly fails: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'join' | 'leave' | 'kill' }
  | { readonly kind: 'loseAnswers'; readonly count: number }

const happenings = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        key: fc.nat(1),
        fails: fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 5),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const, 'kill' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('loseAnswers' as const), count: fc.integer({ min: 1, max: 3 }) }),
    },
  ),
  { minLength: 15, maxLength: 40 },
)

const OPTIONS = {
  leaseMs: 300,
  drainTimeoutMs: 200,
  limits: {
    maxOpen: 1_000,
    maxOpenBytes: 64_000_000,
    commitIntervalMs: 10,
    sessionTimeoutMs: 300,
    heartbeatIntervalMs: 50,
  },
}

/** What the log says after everything has been redriven: what is missing, and what is out of order. */
async function run(plan: readonly Happening[], order: 'key' | 'none'): Promise<{ wrong: string[]; parked: number }> {
  const world = await memoryWorld()
  const desk = await deskOf(world)
  const fickle = testAgent({
    name: AGENT,
    order,
    consumes: 'test.in',
    produces: ['test.out'],
    retry: { maxAttempts: 3, laneAttempts: 2, tiersMs: [10], baseDelayMs: 1 },
    handle: async (event: Note, { publish, attempt }: TestContext) => {
      await pause(attempt % 3)
      const [key = '', , fails = '0'] = event.text.split(' ')
      if (attempt <= Number(fails)) throw new Error('not yet')
      publish('test.out', event, { key })
    },
  })
  const alive = [await world.startMortal([fickle], OPTIONS)]
  const published: string[] = []
  for (const happening of plan) {
    if (happening.kind === 'publish') {
      const text = `key-${happening.key} ${published.length} ${happening.fails}`
      published.push(text)
      await world.publish('test.in', { text, count: published.length }, { id: text, key: `key-${happening.key}` })
    } else if (happening.kind === 'wait') await pause(happening.ms)
    else if (happening.kind === 'loseAnswers') world.memoryStore.faults.loseAnswers(happening.count)
    else if (happening.kind === 'join') {
      // A start whose first call gets no answer fails, as it should; that is not what is tested here.
      world.memoryStore.faults.loseAnswers(0)
      alive.push(await world.startMortal([fickle], OPTIONS))
    } else if (alive.length > 1) {
      const one = alive.shift()
      if (happening.kind === 'kill') one?.kill()
      else await one?.service.stop()
    }
  }
  try {
    const redrive = async (): Promise<readonly string[] | undefined> => {
      for (const letter of await desk.letters(AGENT)) if (letter.status === 'open') await desk.redrive(letter)
      const texts = [...new Set((await world.events('test.out')).map(({ note }) => note?.text ?? ''))]
      return texts.length >= published.length ? texts : undefined
    }
    const texts = await waitFor(redrive, { timeoutMs: 20_000, what: `all of ${published.length} outputs` })
    const parked = (await world.facts()).filter(({ detail }) => detail['parked'] !== undefined).length
    return { wrong: outOfOrder(texts), parked }
  } finally {
    await desk.close()
    await Promise.all(alive.map(({ service }) => service.stop()))
    await world.stop()
  }
}

function outOfOrder(texts: readonly string[]): string[] {
  const wrong: string[] = []
  const last = new Map<string, number>()
  for (const text of texts) {
    const [key = '', number = ''] = text.split(' ')
    if (Number(number) < (last.get(key) ?? -1)) wrong.push(`${text} after ${last.get(key)}`)
    last.set(key, Math.max(Number(number), last.get(key) ?? -1))
  }
  return wrong
}

/** Set LABAN_TEST_SEED to the seed of a failure to get its plans again; their timing is the machine's. */
const seed = Number(process.env['LABAN_TEST_SEED'] ?? Date.now() % 2 ** 31)

it(`events of a key are completed in order (seed ${seed})`, { timeout: TIMEOUT_MS }, async () => {
  const plans = fc.sample(happenings, { seed, numRuns: RUNS })
  const wrong: string[] = []
  let parked = 0
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < plans.length; index = next++) {
      try {
        const result = await run(plans[index] ?? [], 'key')
        parked += result.parked
        wrong.push(...result.wrong.map((problem) => `run ${index}: ${problem}`))
      } catch (error) {
        wrong.push(`run ${index}: ${String(error)}\n${JSON.stringify(plans[index])}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  expect(wrong).toEqual([])
  // It must have tested something.
  expect(parked).toBeGreaterThan(RUNS)
})

it("they are not with order: 'none': the test above can fail", { timeout: TIMEOUT_MS }, async () => {
  const plan: Happening[] = [
    { kind: 'publish', key: 0, fails: 5 },
    { kind: 'publish', key: 0, fails: 0 },
  ]
  expect((await run(plan, 'none')).wrong).toHaveLength(1)
})
