/** Spans in a real Jaeger: a credit-like flow of five agents in separate set-ups is one trace, found by the flow id. */
import { afterAll, describe, expect, it } from 'vitest'
import { traceIdOfFlow } from '../../../tracing/propagation.ts'
import { startTracing, type Tracing } from '../../../tracing/setup.ts'
import { orphansIn, servicesIn, tracesOf } from '../../harness/jaeger.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import { CREDIT_AGENTS, freshFlowId, playCreditFlow } from '../../unit/tracing/credit-like-flow.ts'

const SPANS_OF_CREDIT_FLOW = 11
const running = new Map<string, Tracing>()

afterAll(async () => {
  await Promise.all([...running.values()].map((tracing) => tracing.shutdown()))
})

describe('Jaeger', () => {
  it('shows one flow as one trace of five services without orphans, found by its flow id', async () => {
    const [otlpUrl, jaegerUrl] = [await stackAddress('otlpHttpUrl'), await stackAddress('jaegerUrl')]
    const publisher = uniqueName('publisher')
    const flowId = freshFlowId()
    playCreditFlow(flowId, (agent) => {
      let tracing = running.get(agent)
      if (tracing === undefined) {
        tracing = startTracing({ serviceName: publisher, otlpUrl, sampleRatio: 1, instance: uniqueName(agent) })
        running.set(agent, tracing)
      }
      return tracing.tracer
    })

    const trace = await waitFor(
      async () => {
        const [found] = await tracesOf(jaegerUrl, `/${traceIdOfFlow(flowId)}`)
        return found?.spans.length === SPANS_OF_CREDIT_FLOW ? found : undefined
      },
      { timeoutMs: 20_000, what: `${SPANS_OF_CREDIT_FLOW} spans of flow ${flowId} in Jaeger` },
    )
    expect(trace.traceID).toBe(flowId.replaceAll('-', ''))
    expect(servicesIn(trace)).toEqual(new Set([publisher, ...CREDIT_AGENTS]))
    expect(orphansIn(trace)).toEqual({ roots: 1, orphans: [] })
    const warnings = trace.spans.flatMap((span) => span.warnings ?? [])
    expect(warnings.filter((warning) => warning.includes('parent'))).toEqual([])

    const tags = JSON.stringify({ 'messaging.message.conversation_id': flowId })
    const query = new URLSearchParams({ service: publisher, tags, limit: '5' })
    const found = await tracesOf(jaegerUrl, `?${query.toString()}`)
    expect(found.map((other) => other.traceID)).toEqual([trace.traceID])
  })
})
