/**
 * A process that dies while it ends what cannot succeed, at each place between `dead` and `settle`: whoever comes next leaves one dead
 * letter, its fact, and an event that can be redriven. The same on every store.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryBroker } from '../../runtime/adapters/memory/broker.ts'
import type { SendFault } from '../../runtime/adapters/memory/faults.ts'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import { terminal } from '../../runtime/outcomes.ts'
import type { OutgoingRecord } from '../../runtime/ports/broker.ts'
import type { ClaimStore, Store } from '../../runtime/ports/claim-store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { deskOf } from '../harness/desk.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'
import { testAgent, testContracts, worldOn, type Note, type TestContext, type World } from '../harness/world.ts'

/** Where the process dies, by the call that it makes there. */
const PLACES = [
  'after bury',
  'before the dead letter',
  'after the dead letter',
  'before the fact',
  'after the fact',
  'before settle',
  'after settle',
] as const
type Place = (typeof PLACES)[number]

const QUICK = {
  maxOpen: 100,
  maxOpenBytes: 1_000_000,
  commitIntervalMs: 50,
  sessionTimeoutMs: 300,
  heartbeatIntervalMs: 50,
}
const DEATH = { leaseMs: 300, limits: QUICK }

/** Runs the suite on one kind of store. */
export function describeBurials(name: string, openStore: () => Store | Promise<Store>): void {
  describe(`dead letters and deaths on ${name}`, () => {
    let world: World
    let desk: Awaited<ReturnType<typeof deskOf>>
    let at: (place: Place) => boolean
    let runs: string[]
    let isBroken: boolean
    let agentName: string

    beforeEach(async () => {
      at = () => false
      runs = []
      isBroken = true
      agentName = uniqueName('test.doomed')
      const onSend = (records: readonly OutgoingRecord[]): SendFault | undefined =>
        sending(records, (place) => at(place))
      const broker = createMemoryBroker({ clock: systemClock, faults: { onSend } })
      const store = await openStore()
      await store.connect()
      world = await worldOn(
        broker,
        watched(store, (place) => at(place)),
        createFolderRegistry(testContracts),
        '',
      )
      desk = await deskOf(world)
    })
    afterEach(async () => {
      await desk.close()
      await world.stop()
      await world.store.close()
    })

    const agent = () =>
      testAgent({
        name: agentName,
        consumes: 'test.in',
        produces: ['test.out'],
        handle: (event: Note, { publish }: TestContext) => {
          runs.push(event.text)
          if (isBroken && event.text === 'bad') throw terminal('never')
          publish('test.out', event, { key: 'k' })
        },
      })

    it.each(PLACES)('%s: one dead letter, its fact, its order, and a redrive that ends well', async (place) => {
      const doomed = await world.startMortal([agent()], { instance: uniqueName('doomed'), ...DEATH })
      let hasDied = false
      at = (reached) => {
        if (reached !== place || hasDied) return false
        hasDied = true
        doomed.kill()
        return true
      }
      const flowId = await world.publish('test.in', { text: 'bad' }, { id: agentName, key: 'k' })
      await world.publish('test.in', { text: 'next' }, { id: `${agentName} next`, key: 'k' })
      await waitFor(() => hasDied, { what: `the process to die ${place}` })
      await world.start([agent()], { instance: uniqueName('heir'), ...DEATH })

      const said = async () => (await world.facts()).filter((fact) => fact.outcome === 'dead-lettered')
      await waitFor(async () => (await said()).length > 0, { what: 'the fact of the dead letter' })
      const outcomes = async (): Promise<string[]> => (await world.facts()).map(({ outcome }) => outcome)
      await waitFor(async () => (await outcomes()).includes('suspended'), { what: 'its successor to wait' })
      const letters = await desk.letters(agentName)
      expect(letters.map(({ eventId, status, generation }) => ({ eventId, status, generation }))).toEqual([
        { eventId: flowId, status: 'open', generation: 1 },
      ])
      expect(runs.filter((text) => text === 'bad')).toHaveLength(1)
      expect(new Set((await said()).map(({ handlingId, errorCode }) => `${handlingId} ${errorCode}`)).size).toBe(1)
      expect(await world.events('test.out')).toEqual([])

      isBroken = false
      for (const letter of letters) await desk.redrive(letter)
      const outs = await world.untilCount('test.out', 2)
      expect(outs.map(({ note }) => note?.text)).toEqual(['bad', 'next'])
      await waitFor(async () => (await desk.letters(agentName))[0]?.status === 'resolved', {
        what: 'it to be resolved',
      })
    })
  })
}

/** What is sent, by its topic. A process that dies before a send sends nothing; what it dies after has been appended. */
function sending(records: readonly OutgoingRecord[], at: (place: Place) => boolean): SendFault | undefined {
  const isSent = (topic: string): boolean => records.some((record) => record.topic.endsWith(topic))
  if (isSent('.dead-letter')) return dying(at, 'before the dead letter', 'after the dead letter')
  return isSent('laban.facts') ? dying(at, 'before the fact', 'after the fact') : undefined
}

function dying(at: (place: Place) => boolean, before: Place, after: Place): SendFault | undefined {
  if (at(before)) return 'unavailable'
  at(after)
  return undefined
}

/** A store that says when a handling is buried and settled. */
function watched(store: Store, at: (place: Place) => boolean): Store {
  const claimsOf: Store['claimsOf'] = (agent, options) => {
    const claims = store.claimsOf(agent, options)
    const own: Partial<ClaimStore> = {
      bury: async (requests) => {
        const answers = await claims.bury(requests)
        at('after bury')
        return answers
      },
      settle: async (requests) => {
        at('before settle')
        const answers = await claims.settle(requests)
        at('after settle')
        return answers
      },
    }
    return overlaid(claims, own)
  }
  return overlaid(store, { claimsOf })
}

function overlaid<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(name in own ? own : object, name)
      return typeof value === 'function'
        ? (value as (...values: unknown[]) => unknown).bind(name in own ? own : object)
        : value
    },
  })
}
