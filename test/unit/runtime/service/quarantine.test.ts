/** An event that kills every process that runs it: three deaths, then a dead letter; what ran beside it is not condemned with it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deskOf } from '../../../harness/desk.ts'
import { memoryWorld, testAgent, type Note, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

let world: Awaited<ReturnType<typeof memoryWorld>>
let desk: Awaited<ReturnType<typeof deskOf>>
let deaths: number
let isMended: boolean
let runs: string[]

beforeEach(async () => {
  world = await memoryWorld()
  desk = await deskOf(world)
  deaths = 0
  isMended = false
  runs = []
})
afterEach(async () => {
  await desk.close()
  await world.stop()
})

const AGENT = 'test.fatal'
const QUICK = {
  leaseMs: 200,
  limits: {
    maxOpen: 100,
    maxOpenBytes: 1_000_000,
    commitIntervalMs: 20,
    sessionTimeoutMs: 250,
    heartbeatIntervalMs: 50,
  },
}

/** Starts a process again whenever it has died. `diesAfter` waits before the handler kills its process. */
async function superviseFrom(
  start: number,
  { diesAfter, innocentMs = 0 }: { diesAfter: () => Promise<void>; innocentMs?: number },
): Promise<void> {
  let isDead = false
  const agent = testAgent({
    name: AGENT,
    consumes: 'test.in',
    produces: ['test.out'],
    handle: async (event: Note, { publish }: TestContext) => {
      runs.push(event.text)
      if (event.text === 'fatal' && !isMended) {
        await diesAfter()
        if (isDead) return
        isDead = true
        deaths++
        mortal.kill()
        void superviseFrom(start + 1, { diesAfter, innocentMs })
        return new Promise<void>(() => undefined)
      }
      if (innocentMs > 0) await new Promise((resolve) => setTimeout(resolve, innocentMs))
      publish('test.out', event, { key: event.text })
    },
  })
  const mortal = await world.startMortal([agent], { instance: `p${start}`, ...QUICK })
}

const fatalRuns = (): number => runs.filter((text) => text === 'fatal').length
const outs = async (): Promise<Set<string | undefined>> =>
  new Set((await world.events('test.out')).map(({ note }) => note?.text))

describe.each([
  ['at once, before anything is known of its run', () => Promise.resolve()],
  ['after it was claimed', () => new Promise<void>((resolve) => setTimeout(resolve, 60))],
])('an event that kills its process %s', (_, diesAfter) => {
  it('runs three times and is put aside; others go on, and a mended handler takes it up', async () => {
    await superviseFrom(1, { diesAfter })
    const flowId = await world.publish('test.in', { text: 'fatal' }, { key: 'k' })
    await world.publish('test.in', { text: 'behind' }, { key: 'k' })
    await world.publish('test.in', { text: 'other' }, { key: 'other' })
    const letters = await waitFor(async () => pick(await desk.letters(AGENT)), {
      what: 'it to be put aside',
      timeoutMs: 15_000,
    })
    expect(letters).toMatchObject([{ eventId: flowId, code: 'LABAN_RECORD_QUARANTINED', attempts: 3, status: 'open' }])
    expect({ deaths, runs: fatalRuns() }).toEqual({ deaths: 3, runs: 3 })
    await waitFor(async () => (await outs()).has('other'), { what: 'the others to go on' })
    expect((await outs()).has('behind')).toBe(false)

    isMended = true
    for (const letter of letters) await desk.redrive(letter)
    await waitFor(async () => (await outs()).has('behind'), { what: 'its successor to follow' })
    expect({ deaths, runs: fatalRuns() }).toEqual({ deaths: 3, runs: 4 })
  })
})

describe('what runs beside it', () => {
  it('is not condemned, however often it was under way at a death', async () => {
    await superviseFrom(1, { diesAfter: () => new Promise((resolve) => setTimeout(resolve, 50)), innocentMs: 120 })
    await world.publish('test.in', { text: 'fatal' })
    const innocents = Array.from({ length: 8 }, (_, index) => `innocent-${index}`)
    for (const text of innocents) await world.publish('test.in', { text })
    await waitFor(async () => (await outs()).size === innocents.length, { what: 'all innocents', timeoutMs: 20_000 })
    const letters = await waitFor(async () => pick(await desk.letters(AGENT)), {
      what: 'the fatal one',
      timeoutMs: 15_000,
    })
    expect(letters.map(({ code }) => code)).toEqual(['LABAN_RECORD_QUARANTINED'])
    expect(deaths).toBe(3)
  })
})

const pick = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)
