/** The event tracer over the SDK's own in-memory exporter: names, kinds, attributes, parents, links, and the unsampled path. */
import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { TracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../../contracts/envelope.ts'
import { LabanError } from '../../../contracts/errors.ts'
import { deriveId } from '../../../contracts/ids.ts'
import { createEventTracer, noTracer } from '../../../tracing/create-tracer.ts'
import type { TracedInput } from '../../../tracing/event-tracer.ts'
import { FlowTraceIds } from '../../../tracing/flow-trace-ids.ts'
import { traceIdOfFlow, unsampledTraceparent } from '../../../tracing/propagation.ts'

const FLOW = deriveId('flow')
const EVENT = deriveId('event')
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'

function setUp(sampleRatio = 1) {
  const ids = new FlowTraceIds()
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    idGenerator: ids,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  })
  const services: string[] = []
  const tracerOf = (service: string): Tracer => {
    services.push(service)
    return provider.getTracer('laban')
  }
  const tracer = createEventTracer({
    tracerOf,
    serviceName: 'publisher',
    sampleRatio,
    announceTraceId: (traceId) => ids.announce(traceId),
  })
  return { tracer, services, spans: () => exporter.getFinishedSpans() }
}

function envelope(overrides: Partial<Envelope> = {}): Envelope {
  const base = { id: EVENT, type: 'credit.score-calculated', source: 'credit.score', time: '2026-01-01T00:00:00.000Z' }
  return { ...base, flowId: FLOW, causes: [], hop: 1, ...overrides }
}

function input(overrides: Partial<TracedInput> = {}): TracedInput {
  return {
    agent: 'credit.risk',
    group: 'credit.risk',
    instance: 'i-1',
    topic: 'credit.score-calculated',
    partition: 3,
    offset: 42,
    key: 'k',
    envelope: envelope(),
    attempt: 1,
    ...overrides,
  }
}

function only(spans: readonly ReadableSpan[]): ReadableSpan {
  expect(spans).toHaveLength(1)
  return spans[0] as ReadableSpan
}

describe('a sampled flow', () => {
  it('starts its trace at the first send, with the flow id as trace id', () => {
    const { tracer, services, spans } = setUp()
    const send = tracer.startFlow('credit.application-received', EVENT, FLOW, 'loans.csv')
    send.end({ partition: 2, offset: 7 })
    const span = only(spans())
    expect(services).toEqual(['publisher'])
    expect(span.name).toBe('send credit.application-received')
    expect(span.kind).toBe(SpanKind.PRODUCER)
    expect(span.parentSpanContext).toBeUndefined()
    expect(span.spanContext().traceId).toBe(FLOW.replaceAll('-', ''))
    expect(send.traceparent).toBe(`00-${traceIdOfFlow(FLOW)}-${span.spanContext().spanId}-01`)
    expect(span.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'credit.application-received',
      'messaging.destination.partition.id': '2',
      'messaging.message.id': EVENT,
      'messaging.message.conversation_id': FLOW,
      'messaging.kafka.offset': 7,
      'laban.source': 'loans.csv',
    })
  })

  it('continues with a process span that has the creation context as parent and as link', () => {
    const { tracer, services, spans } = setUp()
    const first = tracer.startFlow('t.a', EVENT, FLOW, 's')
    const process = tracer.startProcess(input({ envelope: envelope({ traceparent: first.traceparent }) }))
    process.end('completed')
    const span = only(spans())
    expect(services).toEqual(['publisher', 'credit.risk'])
    expect(span.name).toBe('process credit.score-calculated')
    expect(span.kind).toBe(SpanKind.CONSUMER)
    expect(first.traceparent).toContain(span.parentSpanContext?.spanId)
    expect(span.links.map((link) => link.context.spanId)).toEqual([span.parentSpanContext?.spanId])
    expect(span.links[0]?.attributes).toEqual({ 'laban.link': 'creation' })
    expect(process.traceId).toBe(traceIdOfFlow(FLOW))
    expect(process.spanId).toBe(span.spanContext().spanId)
    expect(span.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'credit.score-calculated',
      'messaging.destination.partition.id': '3',
      'messaging.consumer.group.name': 'credit.risk',
      'messaging.client.id': 'i-1',
      'messaging.message.id': EVENT,
      'messaging.message.conversation_id': FLOW,
      'messaging.kafka.message.key': 'k',
      'messaging.kafka.offset': 42,
      'laban.agent': 'credit.risk',
      'laban.event.type': 'credit.score-calculated',
      'laban.attempt': 1,
      'laban.hop': 1,
      'laban.outcome': 'completed',
    })
  })

  it('links the other members of a join and the attempt before', () => {
    const { tracer, spans } = setUp()
    const own = envelope({ traceparent: `00-${traceIdOfFlow(FLOW)}-1111111111111111-01` })
    const other = envelope({ id: deriveId('other'), traceparent: `00-${traceIdOfFlow(FLOW)}-2222222222222222-01` })
    const garbled = envelope({ id: deriveId('garbled'), traceparent: 'nonsense' })
    const members = [own, other, garbled]
    tracer
      .startProcess(input({ envelope: own, members, attempt: 2, previousSpanId: '3333333333333333' }))
      .end('completed')
    const span = only(spans())
    expect(span.parentSpanContext?.spanId).toBe('1111111111111111')
    expect(span.links.map((link) => [link.context.spanId, link.attributes?.['laban.link']])).toEqual([
      ['1111111111111111', 'creation'],
      ['2222222222222222', 'join-member'],
      ['3333333333333333', 'previous-attempt'],
    ])
  })

  it('gives a send the process span as parent, and records a failure with its code', () => {
    const { tracer, spans } = setUp()
    const process = tracer.startProcess(input())
    const send = process.startSend('credit.risk-assessed', deriveId('out'), FLOW)
    send.end(undefined, new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers: 'b', problem: 'p' }))
    process.end('retried', new TypeError('no'))
    const [sendSpan, processSpan] = spans()
    expect(sendSpan?.parentSpanContext?.spanId).toBe(process.spanId)
    expect(send.traceparent).toContain(sendSpan?.spanContext().spanId)
    expect(sendSpan?.attributes['error.type']).toBe('LABAN_BROKER_UNAVAILABLE')
    expect(sendSpan?.attributes).not.toHaveProperty('messaging.kafka.offset')
    expect(processSpan?.attributes['error.type']).toBe('TypeError')
    expect(processSpan?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no' })
    expect(processSpan?.events.map((event) => event.name)).toEqual(['exception'])
  })

  it('of a foreign producer starts at its first process spans, all in the trace of the flow id', () => {
    const { tracer, spans } = setUp()
    tracer.startProcess(input()).end('completed')
    tracer
      .startProcess(input({ agent: 'credit.fraud', envelope: envelope({ traceparent: 'garbage' }) }))
      .end('completed')
    expect(spans().map((span) => span.spanContext().traceId)).toEqual([traceIdOfFlow(FLOW), traceIdOfFlow(FLOW)])
    expect(spans().map((span) => span.parentSpanContext)).toEqual([undefined, undefined])
    expect(spans().flatMap((span) => span.links)).toEqual([])
  })
})

describe('an unsampled flow', () => {
  it('forwards the very same header and knows its trace id, whatever the ratio', () => {
    const { tracer, services, spans } = setUp(1)
    const process = tracer.startProcess(input({ envelope: envelope({ traceparent: UNSAMPLED }) }))
    const send = process.startSend('t.b', EVENT, FLOW)
    expect(send.traceparent).toBe(UNSAMPLED)
    expect(process.traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(process.spanId).toBeNull()
    expect(process.run(() => 7)).toBe(7)
    send.end({ partition: 0, offset: 0 })
    process.end('completed')
    expect(services).toEqual(['publisher'])
    expect(spans()).toEqual([])
  })

  it('hands out an unsampled header where there was none', () => {
    const { tracer, spans } = setUp(0)
    const expected = unsampledTraceparent(FLOW)
    expect(tracer.startFlow('t.a', EVENT, FLOW, 's').traceparent).toBe(expected)
    expect(tracer.startProcess(input()).startSend('t.b', EVENT, FLOW).traceparent).toBe(expected)
    expect(spans()).toEqual([])
  })
})

describe('noTracer', () => {
  it('never breaks the chain of ids', () => {
    const first = noTracer.startFlow('t.a', EVENT, FLOW, 's')
    expect(first.traceparent).toBe(unsampledTraceparent(FLOW))
    const sampled = UNSAMPLED.replace(/00$/, '01')
    const process = noTracer.startProcess(input({ envelope: envelope({ traceparent: sampled }) }))
    expect(process.startSend('t.b', EVENT, FLOW).traceparent).toBe(sampled)
    expect(noTracer.startProcess(input()).traceId).toBe(traceIdOfFlow(FLOW))
  })
})
