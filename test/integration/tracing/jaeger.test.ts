/** Spans in a real Jaeger: a credit-like flow of five agents in separate set-ups is one trace, found by the flow id. */
import { afterAll, describe, expect, it } from 'vitest'
import { traceIdOfFlow } from '../../../tracing/propagation.ts'
import { startTracing, type Tracing } from '../../../tracing/setup.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import { CREDIT_AGENTS, freshFlowId, playCreditFlow } from '../../unit/tracing/credit-like-flow.ts'

interface JaegerSpan {
  readonly spanID: string
  readonly operationName: string
  readonly processID: string
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[]
  readonly tags: readonly { readonly key: string; readonly value: unknown }[]
  readonly warnings: readonly string[] | null
}

interface JaegerTrace {
  readonly traceID: string
  readonly spans: readonly JaegerSpan[]
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>
}

const SPANS_OF_CREDIT_FLOW = 11
const running = new Map<string, Tracing>()

afterAll(async () => {
  await Promise.all([...running.values()].map((tracing) => tracing.shutdown()))
})

async function tracesOf(jaegerUrl: string, path: string): Promise<readonly JaegerTrace[]> {
  const response = await fetch(`${jaegerUrl}/api/traces${path}`)
  if (response.status === 404) return []
  const { data } = (await response.json()) as { data: readonly JaegerTrace[] | null }
  return data ?? []
}

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
    const services = trace.spans.map((span) => trace.processes[span.processID]?.serviceName)
    expect(new Set(services)).toEqual(new Set([publisher, ...CREDIT_AGENTS]))
    const known = new Set(trace.spans.map((span) => span.spanID))
    // Jaeger keeps one reference per span that is referred to: where parent and link are the same it calls it FOLLOWS_FROM.
    const parents = trace.spans.map((span) => span.references[0])
    expect(parents.filter((parent) => parent === undefined)).toHaveLength(1)
    const references = trace.spans.flatMap((span) => span.references)
    expect(references.filter((reference) => !known.has(reference.spanID))).toEqual([])
    const warnings = trace.spans.flatMap((span) => span.warnings ?? [])
    expect(warnings.filter((warning) => warning.includes('parent'))).toEqual([])

    const tags = JSON.stringify({ 'messaging.message.conversation_id': flowId })
    const query = new URLSearchParams({ service: publisher, tags, limit: '5' })
    const found = await tracesOf(jaegerUrl, `?${query.toString()}`)
    expect(found.map((other) => other.traceID)).toEqual([trace.traceID])
  })
})
