/** First events: the same event published again is the same content, whenever that is. */
import { describe, expect, it } from 'vitest'
import { decodeEnvelope } from '../../../../contracts/envelope.ts'
import { deriveId } from '../../../../contracts/ids.ts'
import { BatchingProducer } from '../../../../runtime/publish/batching-producer.ts'
import { FactWriter } from '../../../../runtime/publish/fact-writer.ts'
import { FirstEvents } from '../../../../runtime/publish/first-events.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import { noTracer } from '../../../../tracing/create-tracer.ts'
import { memoryWorld, testContracts } from '../../../harness/world.ts'
import type { NamedHeaders } from '../../../../runtime/ports/broker.ts'

async function firstEvents(nowMs: () => number) {
  const world = await memoryWorld()
  const clock = { ...systemClock, nowMs }
  const producer = new BatchingProducer({ producer: await world.broker.producer(), clock, log: silentLogger })
  const parts = { contracts: testContracts, codec: world.codec, producer, clock, tracer: noTracer }
  const facts = new FactWriter(producer, world.codec)
  return { world, events: new FirstEvents({ source: 'test', instance: 'one', facts, ...parts }) }
}

describe('a first event', () => {
  const eventId = deriveId('test', 'one')
  const event = { eventId, topic: 'test.in', value: { text: 'x', count: 1 } }

  it('has the same key, value and headers whenever it is published', async () => {
    let nowMs = 1_000
    const { world, events } = await firstEvents(() => nowMs)
    const first = events.prepare(event)
    nowMs = 99_000
    expect(events.prepare(event).record).toEqual(first.record)
    await world.stop()
  })

  it('takes its time from its record', async () => {
    const { world, events } = await firstEvents(() => 1_000)
    const { record } = events.prepare(event)
    const place = { topic: 'test.in', partition: 0, offset: 0, timestampMs: 86_400_000 }
    expect(decodeEnvelope(record.headers as NamedHeaders, place)).toMatchObject({
      id: eventId,
      time: '1970-01-02T00:00:00.000Z',
    })
    await world.stop()
  })

  it('leaves a fact that points at it', async () => {
    const { world, events } = await firstEvents(() => 1_000)
    const [place] = await events.append([events.prepare(event)])
    const [fact] = await world.untilFacts('published', 1)
    expect(fact).toMatchObject({ flowId: eventId, agent: 'test', outputs: [{ eventId, ...place }] })
    await world.stop()
  })
})
