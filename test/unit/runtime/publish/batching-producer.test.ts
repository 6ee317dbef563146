/** Records in large sends: order, one send at a time, refusals that stay with their own record, outages, and the end. */
import { beforeEach, describe, expect, it } from 'vitest'
import { LabanError } from '../../../../contracts/errors.ts'
import type { Appended, BrokerProducer, OutgoingRecord } from '../../../../runtime/ports/broker.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import { BatchingProducer } from '../../../../runtime/publish/batching-producer.ts'
import { createManualClock, type ManualClock } from '../../../harness/manual-clock.ts'
import { waitFor } from '../../../harness/wait.ts'

const away = (): LabanError => new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers: 'test', problem: 'away' })
const tooLarge = (): LabanError =>
  new LabanError('LABAN_BROKER_MESSAGE_TOO_LARGE', { topic: 'test.out', bytes: 2, maxBytes: 1 })

/** A log that appends what it is sent, unless it refuses, is away, or holds its answers back. */
class Log implements BrokerProducer {
  readonly sends: string[][] = []
  readonly records: string[] = []
  refuses: (text: string) => boolean = () => false
  isAway = false
  holds: Promise<void> | undefined
  inFlight = 0
  mostInFlight = 0
  closed = 0

  async send(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    const texts = records.map((record) => String(record.key))
    this.sends.push(texts)
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      await this.holds
      if (this.isAway) throw away()
      if (texts.some(this.refuses)) throw tooLarge()
      return texts.map((text) => ({ topic: 'test.out', partition: 0, offset: this.records.push(text) - 1 }))
    } finally {
      this.inFlight--
    }
  }

  partitionFor(): Promise<number> {
    return Promise.resolve(0)
  }

  close(): Promise<void> {
    this.closed++
    return Promise.resolve()
  }
}

const record = (text: string, bytes = 10): OutgoingRecord => ({
  ...{ topic: 'test.out', key: text, value: Buffer.alloc(bytes), headers: {} },
})

let log: Log
let clock: ManualClock
let producer: BatchingProducer

beforeEach(() => {
  log = new Log()
  clock = createManualClock()
  producer = new BatchingProducer({ producer: log, clock, log: silentLogger })
})

describe('a batching producer', () => {
  it('sends what one turn brings together, in order, and gives each its places', async () => {
    const appended = await Promise.all([
      producer.append([record('a'), record('b')]),
      producer.append([record('c')]),
      producer.append([]),
    ])
    expect(log.sends).toEqual([['a', 'b', 'c']])
    expect(appended.map((places) => places.map((place) => place.offset))).toEqual([[0, 1], [2], []])
  })

  it('has one send under way at a time; what comes meanwhile is the next', async () => {
    let open = (): void => undefined
    log.holds = new Promise((resolve) => (open = resolve))
    const appends = [producer.append([record('first')])]
    await waitFor(() => log.sends.length === 1)
    for (let index = 0; index < 50; index++) appends.push(producer.append([record(`r${index}`)]))
    open()
    await Promise.all(appends)
    expect(log.mostInFlight).toBe(1)
    expect(log.sends).toHaveLength(2)
    expect(log.records).toEqual(['first', ...Array.from({ length: 50 }, (_, index) => `r${index}`)])
  })

  it('cuts sends at their largest size, but sends a larger record alone', async () => {
    producer = new BatchingProducer({ producer: log, clock, log: silentLogger, maxBatchBytes: 1_000 })
    await Promise.all(
      ['a', 'b', 'c', 'large', 'd'].map((text) => producer.append([record(text, text === 'large' ? 5_000 : 400)])),
    )
    expect(log.sends).toEqual([['a', 'b'], ['c'], ['large'], ['d']])
  })

  it('rejects a refused record alone, and the others arrive in order', async () => {
    log.refuses = (text) => text === 'bad3' || text === 'bad6'
    const texts = Array.from({ length: 10 }, (_, index) => (index === 3 || index === 6 ? `bad${index}` : `r${index}`))
    const results = await Promise.allSettled(texts.map((text) => producer.append([record(text)])))
    expect(results.flatMap((result, index) => (result.status === 'rejected' ? [index] : []))).toEqual([3, 6])
    expect(results[3]).toMatchObject({ reason: { code: 'LABAN_BROKER_MESSAGE_TOO_LARGE' } })
    expect(log.records).toEqual(texts.filter((text) => text.startsWith('r')))
  })

  it('sends records of other topics than the refused one only once more', async () => {
    log.refuses = (text) => text === 'bad'
    const texts = Array.from({ length: 16 }, (_, index) => (index === 5 ? 'bad' : `r${index}`))
    const topicOf = (text: string): string => (text === 'bad' ? 'test.out' : 'test.other')
    await Promise.allSettled(texts.map((text) => producer.append([{ ...record(text), topic: topicOf(text) }])))
    expect(log.sends.map((send) => send.length)).toEqual([16, 15, 1])
  })

  it('waits for a broker that is away and then sends everything, in order', async () => {
    log.isAway = true
    const appends = ['a', 'b', 'c'].map((text) => producer.append([record(text)]))
    await clock.advance(1_000)
    expect(producer.problem?.code).toBe('LABAN_BROKER_UNAVAILABLE')
    const later = producer.append([record('d')])
    log.isAway = false
    await clock.advance(10_000)
    await Promise.all([...appends, later])
    expect(log.records).toEqual(['a', 'b', 'c', 'd'])
    expect(producer.problem).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('lets nobody in above its buffer until there is room', async () => {
    producer = new BatchingProducer({ producer: log, clock, log: silentLogger, maxBufferedBytes: 1_000 })
    let open = (): void => undefined
    log.holds = new Promise((resolve) => (open = resolve))
    const appends = ['a', 'b', 'c', 'd'].map((text) => producer.append([record(text, 600)]))
    await waitFor(() => log.sends.length === 1)
    expect(log.sends).toEqual([['a']])
    open()
    await Promise.all(appends)
    expect(log.sends).toEqual([['a'], ['b'], ['c'], ['d']])
  })
})

describe('closing', () => {
  it('sends what is buffered first', async () => {
    const appended = producer.append([record('a')])
    await producer.close(1_000)
    await appended
    expect(log.records).toEqual(['a'])
    expect(log.closed).toBe(1)
    expect(clock.pending).toBe(0)
    await expect(producer.append([record('b')])).rejects.toMatchObject({ code: 'LABAN_SHUTDOWN' })
  })

  it.each(['is away', 'never answers'])(
    'rejects what is left when the broker %s, those waiting for room too',
    async (how) => {
      producer = new BatchingProducer({ producer: log, clock, log: silentLogger, maxBufferedBytes: 1_000 })
      if (how === 'is away') log.isAway = true
      else log.holds = new Promise(() => undefined)
      const appends = ['a', 'b', 'c'].map((text) => producer.append([record(text, 600)]))
      const settled = Promise.allSettled(appends)
      await waitFor(() => log.sends.length > 0)
      const closed = producer.close(500)
      await clock.advance(500)
      await closed
      for (const result of await settled) expect(result).toMatchObject({ reason: { code: 'LABAN_SHUTDOWN' } })
      expect(clock.pending).toBe(0)
    },
  )

  it('twice closes once, and at once the second time when told so', async () => {
    log.holds = new Promise(() => undefined)
    const left = producer.append([record('a')]).catch((error: unknown) => error)
    await waitFor(() => log.sends.length === 1)
    const patient = producer.close(60_000)
    const impatient = producer.close(0)
    await clock.advance(1)
    await Promise.all([patient, impatient])
    expect(await left).toMatchObject({ code: 'LABAN_SHUTDOWN' })
    expect(log.closed).toBe(1)
  })
})
