/** A reset is worked out completely before anything moves, within what the log holds. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeStep, parseResetTarget, planReset, type ResetStep } from '../../../cli/reset-plan.ts'
import { createMemoryBroker, type MemoryBroker } from '../../../runtime/adapters/memory/broker.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'

const TOPIC = 'shop.order-placed'
const GROUP = 'shop.clerk'

describe('parseResetTarget', () => {
  it.each([
    ['earliest', { to: 'earliest' }],
    ['2026-11-21T10:00:00Z', { to: 'time', atMs: Date.UTC(2026, 10, 21, 10) }],
    ['1700000000000', { to: 'time', atMs: 1_700_000_000_000 }],
    [
      'a.b/0=5, a.b/1=6',
      {
        to: 'offsets',
        offsets: new Map([
          ['a.b/0', 5],
          ['a.b/1', 6],
        ]),
      },
    ],
  ])('%s', (text, target) => {
    expect(parseResetTarget(text)).toEqual(target)
  })

  it.each(['yesterday', '5', 'a.b=5', 'a.b/0=x', '2026-99-99'])('refuses %s', (text) => {
    expect(() => parseResetTarget(text)).toThrow(expect.objectContaining({ code: 'LABAN_USAGE' }))
  })
})

describe('planReset', () => {
  let broker: MemoryBroker
  const plan = (text: string): Promise<readonly ResetStep[]> =>
    planReset({ broker }, GROUP, [TOPIC], parseResetTarget(text))

  beforeEach(async () => {
    broker = createMemoryBroker({ clock: systemClock })
    await broker.connect()
    await broker.admin.createTopics([{ topic: TOPIC, partitions: 2, replication: 1, config: {} }])
    const producer = await broker.producer()
    const record = (partition: number) => ({ topic: TOPIC, partition, key: 'k', value: Buffer.from('v'), headers: {} })
    await producer.send([record(0), record(0), record(0), record(1)])
    await broker.admin.setGroupOffsets(GROUP, [{ topic: TOPIC, partition: 0, offset: 2, metadata: '' }])
  })
  afterEach(() => broker.close())

  it('moves to the ends, also where nothing was committed', async () => {
    expect(await plan('earliest')).toEqual([
      { topic: TOPIC, partition: 0, fromOffset: 2, toOffset: 0 },
      { topic: TOPIC, partition: 1, fromOffset: null, toOffset: 0 },
    ])
    expect((await plan('latest')).map(({ toOffset }) => toOffset)).toEqual([3, 1])
  })

  it('leaves out what does not move, and stays within the log', async () => {
    expect(await plan(`${TOPIC}/0=2`)).toEqual([])
    expect(await plan(`${TOPIC}/0=900`)).toEqual([{ topic: TOPIC, partition: 0, fromOffset: 2, toOffset: 3 }])
  })

  it('goes to the end for a time after the last record', async () => {
    const steps = await plan(String(systemClock.nowMs() + 60_000))
    expect(steps.map(({ toOffset }) => toOffset)).toEqual([3, 1])
  })

  it('refuses a partition that the agent does not read', async () => {
    await expect(plan(`${TOPIC}/7=0`)).rejects.toThrow(`${GROUP} does not read ${TOPIC}/7`)
  })

  it('says what a move means', () => {
    const step = { topic: TOPIC, partition: 0 }
    expect(describeStep({ ...step, fromOffset: 5, toOffset: 2 })).toBe('3 events again')
    expect(describeStep({ ...step, fromOffset: 2, toOffset: 5 })).toBe('3 events passed over')
    expect(describeStep({ ...step, fromOffset: null, toOffset: 5 })).toBe('first position')
  })
})
