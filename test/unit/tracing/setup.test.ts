/** What really leaves the process, and what a trace store that is down may cost. */
import { context, trace } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { traceIdOfFlow } from '../../../tracing/propagation.ts'
import { startTracing, type Tracing, type TracingOptions } from '../../../tracing/setup.ts'
import { startOtlpReceiver, type OtlpReceiver } from '../../harness/otlp-receiver.ts'
import { CREDIT_AGENTS, freshFlowId, playCreditFlow } from './credit-like-flow.ts'

let receiver: OtlpReceiver | undefined
const running: Tracing[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((tracing) => tracing.shutdown()))
  await receiver?.close()
  receiver = undefined
})

function start(otlpUrl: string, options: Partial<TracingOptions> = {}): Tracing {
  const tracing = startTracing({ serviceName: 'publisher', otlpUrl, sampleRatio: 1, instance: 'i-1', ...options })
  running.push(tracing)
  return tracing
}

describe('startTracing', () => {
  it('exports one credit-like flow as one trace of its flow id: each agent a service, no orphan spans', async () => {
    receiver = await startOtlpReceiver()
    const flowId = freshFlowId()
    const shared = start(receiver.url)
    const alone = start(receiver.url)
    playCreditFlow(flowId, (agent) => (agent === 'credit.fraud' ? alone.tracer : shared.tracer))
    await Promise.all([shared.shutdown(), alone.shutdown()])

    const { spans } = receiver
    expect(spans).toHaveLength(11)
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceIdOfFlow(flowId)]))
    expect(new Set(spans.map((span) => span.service))).toEqual(new Set(['publisher', ...CREDIT_AGENTS]))
    const known = new Set(spans.map((span) => span.spanId))
    const roots = spans.filter((span) => span.parentSpanId === undefined)
    expect(roots.map((span) => span.name)).toEqual(['send credit.application-received'])
    expect(spans.filter((span) => span.parentSpanId !== undefined && !known.has(span.parentSpanId))).toEqual([])
    expect(spans.flatMap((span) => span.links).filter((link) => !known.has(link))).toEqual([])
    expect(spans.find((span) => span.name === 'process credit.risk-assessed')?.links).toHaveLength(2)
  })

  it('sends the given headers to the given path', async () => {
    receiver = await startOtlpReceiver()
    const tracing = start(`${receiver.url}/v1/traces`, { headers: { authorization: 'Bearer t' } })
    tracing.tracer.startFlow('t.a', freshFlowId(), freshFlowId(), 's').end()
    await tracing.shutdown()
    expect(receiver.spans).toHaveLength(1)
    expect(receiver.headers[0]?.authorization).toBe('Bearer t')
  })

  it('makes instrumented libraries join a sampled flow, and start nothing outside of one', async () => {
    receiver = await startOtlpReceiver()
    const tracing = start(receiver.url)
    const flowId = freshFlowId()
    const library = trace.getTracer('some-library')
    library.startSpan('outside').end()
    const send = tracing.tracer.startFlow('t.a', flowId, flowId, 's')
    const input = {
      agent: 'a.b',
      group: 'a.b',
      instance: 'i',
      topic: 't.a',
      partition: 0,
      offset: 0,
      key: null,
      attempt: 1,
    }
    const envelope = { id: flowId, type: 't.a', source: 's', time: '', flowId, causes: [], hop: 0 }
    const sampled = tracing.tracer.startProcess({ ...input, envelope: { ...envelope, traceparent: send.traceparent } })
    await sampled.run(async () => {
      await Promise.resolve()
      library.startSpan('inside').end()
    })
    const unsampled = { ...envelope, traceparent: send.traceparent.replace(/01$/, '00') }
    tracing.tracer.startProcess({ ...input, envelope: unsampled }).run(() => library.startSpan('unsampled').end())
    sampled.end('completed')
    send.end()
    await tracing.shutdown()
    const inside = receiver.spans.find((span) => span.name === 'inside')
    expect(inside?.parentSpanId).toBe(sampled.spanId)
    expect(receiver.spans.map((span) => span.name).sort()).toEqual(['inside', 'process t.a', 'send t.a'])
    expect(trace.getSpan(context.active())).toBeUndefined()
  })

  it.each([
    ['refuses', 'refuse'],
    ['never answers', 'hang'],
    ['is not there', undefined],
  ] as const)('shuts down within 2 s when the trace store %s, and says so once', async (_what, mode) => {
    receiver = await startOtlpReceiver(mode ?? 'accept')
    const { url } = receiver
    if (mode === undefined) await receiver.close()
    const changes: string[] = []
    const tracing = start(url, { onExportChange: (state) => changes.push(state) })
    for (let index = 0; index < 20_000; index++) {
      tracing.tracer.startFlow('t.a', freshFlowId(), freshFlowId(), 's').end({ partition: 0, offset: index })
    }
    const startedAtMs = performance.now()
    await tracing.shutdown()
    expect(performance.now() - startedAtMs).toBeLessThan(2_300)
    if (mode !== 'hang') expect(changes).toEqual(['failing'])
  })

  it('costs only spans while the trace store is down, and reports when it is back', async () => {
    receiver = await startOtlpReceiver('refuse')
    const changes: string[] = []
    const changed = Promise.withResolvers<void>()
    const tracing = start(receiver.url, {
      onExportChange: (state) => {
        changes.push(state)
        changed.resolve()
      },
    })
    tracing.tracer.startFlow('t.a', freshFlowId(), freshFlowId(), 's').end()
    await changed.promise
    receiver.mode = 'accept'
    tracing.tracer.startFlow('t.a', freshFlowId(), freshFlowId(), 's').end()
    await tracing.shutdown()
    expect(changes).toEqual(['failing', 'working'])
    expect(receiver.spans).toHaveLength(1)
  })
})
