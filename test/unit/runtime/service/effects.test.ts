/** Effects of handlers on a memory stack: one key, an intent on the log before the call, and what follows an unknown outcome. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { effectKey } from '../../../../contracts/ids.ts'
import { readJournal } from '../../../../runtime/journal/read-journal.ts'
import { memoryWorld } from '../../../harness/world.ts'
import { agentOf, dieThenRun, Runs } from './step-agents.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let runs: Runs

beforeEach(async () => {
  world = await memoryWorld()
  runs = new Runs()
})

afterEach(() => world.stop())

async function journalRecords(): Promise<{ key: Buffer | null; value: Buffer | null; headers: never }[]> {
  const events = await world.events('test.stepper.journal')
  return events.map(({ key, value, headers }) => ({
    key: key === null ? null : Buffer.from(key),
    value,
    headers: headers as never,
  }))
}

describe('an effect', () => {
  it('gets the same key on every attempt and instance, made from event, agent and name', async () => {
    const keys: string[] = []
    const handle = (isFirst: boolean) =>
      agentOf(async ({ effect, publish }) => {
        await effect('charge', (key) => {
          keys.push(key)
          return isFirst ? new Promise<never>(() => undefined) : 'paid'
        })
        publish('test.out', { text: 'out' })
      })
    const id = await dieThenRun(world, handle(true), () => keys.length === 1, handle(false))
    await world.untilCount('test.out', 1)
    const key = effectKey('test.stepper', id, 'charge')
    expect(keys).toEqual([key, key])
  })

  it('asks reconcile first when a crash left its outcome unknown', async () => {
    const asked: string[] = []
    const handle = (isFirst: boolean) =>
      agentOf(async ({ effect, publish }) => {
        const charge = await effect(
          'charge',
          () => (runs.names.push('charge'), isFirst ? new Promise<never>(() => undefined) : 'second'),
          {
            reconcile: (key) => {
              asked.push(key)
              return { found: 'first' }
            },
          },
        )
        publish('test.out', { text: charge })
      })
    await dieThenRun(world, handle(true), () => runs.names.length === 1, handle(false))
    const [out] = await world.untilCount('test.out', 1)
    expect(out?.note?.text).toBe('first')
    expect(runs.names).toEqual(['charge'])
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
          { retry: { maxAttempts: 2, baseDelayMs: 1 }, reconcile: () => (runs.names.push('asked'), undefined) },
        )
        publish('test.out', { text: 'out' })
      }),
    ])
    await world.publish('test.in', { text: 'x' })
    await world.untilCount('test.out', 1)
    expect(new Set(keys).size).toBe(1)
    expect(keys).toHaveLength(3)
    expect(runs.names).toEqual(['asked', 'asked'])
  })

  it('is not run again once its key is no longer valid', async () => {
    const handle = (isFirst: boolean) =>
      agentOf(async ({ effect }) => {
        await effect('charge', () => (runs.names.push('charge'), isFirst ? new Promise<never>(() => undefined) : 1), {
          keyValidForMs: 1,
        })
      })
    await dieThenRun(world, handle(true), () => runs.names.length === 1, handle(false))
    const [fact] = await world.untilFacts('dead-lettered', 1)
    expect(fact).toMatchObject({ errorCode: 'LABAN_EFFECT_OUTCOME_UNKNOWN' })
    expect(runs.names).toEqual(['charge'])
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
