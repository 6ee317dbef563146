/** What becomes of a process whose members of consumer groups stop, cannot be made, or get no answer; and what it says of itself. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LabanError } from '../../../../contracts/errors.ts'
import type { Broker, BrokerConsumer, ConsumerHandlers, ConsumerOptions } from '../../../../runtime/ports/broker.ts'
import type { Service } from '../../../../runtime/service/service.ts'
import { createSkippingClock, type SkippingClock } from '../../../harness/skipping-clock.ts'
import { waitFor } from '../../../harness/wait.ts'
import { memoryWorld, testAgent } from '../../../harness/world.ts'

const AGENT = 'test.copier'
const AWAY = new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers: 'a:1', problem: 'connection refused' })
const BROKEN = new LabanError('LABAN_BROKER_REFUSED', { operation: 'consume', topic: 'test.in', problem: 'no' })

/** A member as its broker knows it. */
interface Member {
  readonly options: ConsumerOptions
  readonly handlers: ConsumerHandlers
  readonly port: BrokerConsumer
}

let world: Awaited<ReturnType<typeof memoryWorld>>
let clock: SkippingClock
let service: Service
/** The newest of each group. */
let members: Map<string, Member>
let fatal: unknown[]
/** So many joins fail from now on. */
let refusals: number

beforeEach(async () => {
  world = await memoryWorld()
  clock = createSkippingClock()
  members = new Map()
  fatal = []
  refusals = 0
  const copier = testAgent({ name: AGENT, consumes: 'test.in', handle: () => undefined })
  service = await world.start([copier], { broker: watched(world.broker), clock, onFatal: (error) => fatal.push(error) })
  expect(service.health.problems).toEqual([])
})
afterEach(() => world.stop())

function watched(broker: Broker): Broker {
  const consumer = async (options: ConsumerOptions, handlers: ConsumerHandlers): Promise<BrokerConsumer> => {
    if (refusals > 0) {
      refusals--
      throw AWAY
    }
    const port = await broker.consumer(options, handlers)
    members.set(options.group, { options, handlers, port })
    return port
  }
  const { admin, reader } = broker
  const producer = (): ReturnType<Broker['producer']> => broker.producer()
  return { connect: () => broker.connect(), close: () => broker.close(), producer, consumer, admin, reader }
}

async function crash(group: string, error: unknown): Promise<void> {
  const member = members.get(group)
  members.delete(group)
  await member?.port.stop()
  member?.handlers.onCrash(error)
}

/** Lets time pass until it holds. */
function eventually(what: string, condition: () => boolean): Promise<unknown> {
  return waitFor(
    () => {
      clock.skip(500)
      return condition()
    },
    { what },
  )
}

describe('a member that has stopped', () => {
  it.each([AGENT, `${AGENT}.retry`])('is made anew: %s', async (group) => {
    await crash(group, BROKEN)
    expect(service.health).toMatchObject({ isReady: false, problems: [`${AGENT} does not consume`] })
    await eventually('a new member', () => members.has(group) && service.health.isReady)
    expect(fatal).toEqual([])
  })

  it('is waited for as long as brokers are away, which ends no process', async () => {
    refusals = 20
    await crash(AGENT, BROKEN)
    await eventually('a new member', () => members.has(AGENT) && service.health.isReady)
    expect(refusals).toBe(0)
    expect(fatal).toEqual([])
  })

  it('does not hide behind another one that is well', async () => {
    refusals = 1_000_000
    await crash(`${AGENT}.retry`, BROKEN)
    await crash(AGENT, BROKEN)
    refusals = 0
    await eventually('both', () => members.size === 2 && service.health.isReady)
    expect(fatal).toEqual([])
  })

  it('again and again ends the process', async () => {
    for (let times = 1; times <= 4; times++) {
      await eventually('a member', () => members.has(AGENT))
      await crash(AGENT, BROKEN)
    }
    await eventually('the end', () => fatal.length > 0)
    expect(fatal).toMatchObject([{ code: 'LABAN_CONSUMER_STOPPED' }])
    expect(service.health.isReady).toBe(false)
  })
})

describe('a member that gets no answer', () => {
  it('makes the process not ready until it gets one', () => {
    const tell = members.get(AGENT)?.options.onAvailability
    tell?.(false, AWAY)
    expect(service.health).toMatchObject({ isReady: false, problems: ['the broker does not answer'] })
    members.get(`${AGENT}.retry`)?.options.onAvailability?.(true)
    expect(service.health.isReady).toBe(false)
    tell?.(true)
    expect(service.health).toMatchObject({ isReady: true, problems: [] })
  })
})

describe('a store that is away', () => {
  it('is noticed although there is nothing to do', async () => {
    world.memoryStore.faults.unavailableFor(60_000)
    await eventually('notice', () => service.health.problems.includes('the store does not answer'))
    world.memoryStore.faults.unavailableFor(0)
    await eventually('its return', () => service.health.isReady)
  })
})
