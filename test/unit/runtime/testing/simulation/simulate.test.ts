/** A choreography under simulation: it replays exactly, skips time, tells of handlers that cheat, and reports what broke. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { isLabanError } from '../../../../../contracts/errors.ts'
import { terminal } from '../../../../../runtime/outcomes.ts'
import { FAULT_KINDS } from '../../../../../runtime/testing/simulation/fault-plan.ts'
import { simulateAll, simulate } from '../../../../../runtime/testing/simulation/simulate.ts'
import { steppingAgents } from '../../../../harness/stepping-agents.ts'
import { testAgent, testContracts, type Note, type TestContext } from '../../../../harness/world.ts'

const contracts = testContracts

const fork = (name: string, topic: 'test.left' | 'test.right') =>
  testAgent({
    ...{ name, consumes: 'test.in', produces: [topic] },
    handle: (event: Note, { publish }: TestContext) => void publish(topic, { text: event.text }),
  })
const agents = [
  fork('test.a', 'test.left'),
  fork('test.b', 'test.right'),
  testAgent({
    ...{ name: 'test.join', consumes: { all: ['test.left', 'test.right'] }, produces: ['test.out'] },
    handle: (events: Record<'test.left' | 'test.right', Note>, { publish }: TestContext) => {
      publish('test.out', { text: events['test.left'].text })
    },
  }),
]

describe('simulate', () => {
  it('keeps every invariant under all kinds of faults, and each run has its faults', async () => {
    const report = await simulate(agents, { contracts, seed: 1, runs: 8, flows: 20, faults: 5 })
    expect(report.fewestFaults).toBeGreaterThanOrEqual(5)
    expect(report.runs).toBe(8)
    expect(report.flows).toBe(160)
    expect(Object.keys(report.crashPoints).length).toBeGreaterThan(2)
  })

  it('replays a seed exactly, and another seed is another run', async () => {
    const digest = async (seed: number): Promise<string> =>
      (await simulate(agents, { contracts, seed, runs: 2, flows: 5 })).digest
    const first = await digest(11)
    expect(await digest(11)).toBe(first)
    expect(await digest(12)).not.toBe(first)
  })

  it('finds a rejected event rejected, whoever says so again after a crash', async () => {
    const choosy = testAgent({
      ...{ name: 'test.choosy', consumes: 'test.in', accepts: { 'test.in': 'event.text == "never"' } },
      handle: () => expect.unreachable('nothing is accepted'),
    })
    const report = await simulate([choosy], { contracts, runs: 10, flows: 20, faults: 8, kinds: ['crash'] })
    expect(report.outcomes['completed']).toBeUndefined()
    expect(report.outcomes['rejected']).toBeGreaterThanOrEqual(200)
  })

  it('lets users judge each flow, and shows the fewest faults with which it goes wrong', async () => {
    const fails = simulate(agents, {
      ...{ contracts, runs: 3, flows: 5 },
      expect: (flow) => {
        const outs = flow.events('test.out' as never)
        if (outs.length !== 2) throw new TypeError(`${outs.length} outs instead of 2`)
      },
    })
    const error: unknown = await fails.catch((failure: unknown) => failure)
    expect(isLabanError(error) && error.code).toBe('LABAN_SIMULATION_FAILED')
    expect(String(error)).toContain('1 outs instead of 2')
    expect(String(error)).toContain('with no faults')
    expect(isLabanError(error) && error.details['replay']).toContain('seed: 1')
  })

  it('skips a wait of seven days', async () => {
    const patient = testAgent({
      ...{ name: 'test.patient', consumes: 'test.in', produces: ['test.out'], timeoutMs: 30 * 86_400_000 },
      handle: (event: Note, { publish }: TestContext) => void publish('test.out', event),
    })
    const waits = { flows: 3, faults: 0, runs: 1, handlerMs: () => 7 * 86_400_000 }
    const beganAt = performance.now()
    const report = await simulateAll([patient], { contracts, ...waits })
    expect(report.violation).toBeUndefined()
    expect(report.virtualMs).toBeGreaterThan(7 * 86_400_000)
    expect(performance.now() - beganAt).toBeLessThan(2_000)
  })

  it('lets handlers sleep for a week in no time', async () => {
    const sleeper = testAgent({
      ...{ name: 'test.sleeper', consumes: 'test.in', produces: ['test.out'] },
      async handle(event: Note, { publish, sleep }: TestContext) {
        await sleep('week', 7 * 86_400_000)
        publish('test.out', event)
      },
    })
    const beganAt = performance.now()
    const report = await simulateAll([sleeper], { contracts, flows: 3, faults: 0, runs: 1 })
    expect(report.violation).toBeUndefined()
    expect(report.outcomes).toMatchObject({ suspended: 3, completed: 3 })
    expect(report.virtualMs).toBeGreaterThan(7 * 86_400_000)
    expect(performance.now() - beganAt).toBeLessThan(2_000)
  })

  it('strikes with every kind of fault', async () => {
    const seen = new Set<string>()
    for (const kind of FAULT_KINDS) {
      const options = { contracts, seed: 5, runs: 1, flows: 6, faults: 1, kinds: [kind] }
      const report = await simulate(kind === 'duplicate-timer' ? steppingAgents() : agents, options)
      for (const struck of Object.keys(report.faults)) seen.add(struck)
    }
    expect([...seen].sort()).toEqual([...FAULT_KINDS].sort())
  })

  it('lets failed events go on in retry topics, in the order of their keys', async () => {
    const failing = testAgent({
      ...{ name: 'test.failing', consumes: 'test.in', produces: ['test.out'], retry: { laneAttempts: 1 } },
      handle: (event: Note, { publish, attempt }: TestContext) => {
        if (attempt === 1 && event.count % 2 === 0) throw new TypeError('not this time')
        publish('test.out', event)
      },
    })
    const report = await simulate([failing], { contracts, flows: 20, runs: 2 })
    expect(report.outcomes['retried']).toBeGreaterThan(5)
  })

  it('redrives dead letters, and discards what fails too often, until nothing waits', async () => {
    const hopeless = testAgent({
      ...{ name: 'test.hopeless', consumes: 'test.in' },
      handle: () => {
        throw terminal('never')
      },
    })
    const all = await simulate([hopeless], { contracts, flows: 20, faults: 0, runs: 1 })
    // Each redrive that was not the first of its generation is told as a duplicate; discarding is told as a dead letter.
    expect(all.outcomes['dead-lettered']).toBeGreaterThan(40)
    expect(all.outcomes['duplicate']).toBeGreaterThan(20)
  })

  it.each([
    ['a real timer', () => pause(1)],
    ['a network connection', () => fetch('http://127.0.0.1:59999/').then(() => undefined)],
  ])('reports a handler that uses %s', async (what, cheat) => {
    const cheater = testAgent({ name: 'test.cheat', consumes: 'test.in', handle: cheat })
    const { violation } = await simulateAll([cheater], { contracts, flows: 1, runs: 1, faults: 0 })
    expect(violation?.findings[0]?.problem).toContain(`test.cheat used ${what}`)
  })

  it('gives handlers the time and the randomness of the simulation', async () => {
    const seen: unknown[] = []
    const curious = testAgent({
      ...{ name: 'test.curious', consumes: 'test.in' },
      handle: () => void seen.push([Date.now(), new Date().toISOString(), Math.random()].join()),
    })
    await simulate([curious], { contracts, flows: 3, runs: 1, faults: 0 })
    const first = seen.splice(0)
    await simulate([curious], { contracts, flows: 3, runs: 1, faults: 0 })
    expect(first.join()).toContain('2026-01-01T00:00')
    expect(seen).toEqual(first)
  })
})
