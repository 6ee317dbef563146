/**
 * The runtime's spans on OpenTelemetry's API. Rule: an event whose flow is not sampled never reaches the SDK, its `traceparent` is
 * forwarded as the very same string; and whatever is off or down, every event carries a `traceparent`.
 */
import { trace, type Tracer } from '@opentelemetry/api'
import type { EventTracer, ProcessSpan, SendSpan, TracedInput } from './event-tracer.ts'
import type { Uuid } from '../contracts/ids.ts'
import { hasSampledFlag, isTraceparent, traceIdOfFlow, unsampledTraceparent } from './propagation.ts'
import { startProcessSpan, startRootSend } from './recording-spans.ts'
import { isFlowSampled } from './sampling.ts'
import { UnsampledProcess, unsampledSend } from './unsampled-spans.ts'

/** What `createEventTracer` builds on. */
export interface EventTracerOptions {
  /** The tracer of a service: one per agent, so that a trace store lists each agent by itself. */
  readonly tracerOf: (service: string) => Tracer
  /** Service that first events are published by. */
  readonly serviceName: string
  /** Share of flows that are traced, 0 to 1. Only first events are decided; all others follow their `traceparent`. */
  readonly sampleRatio: number
  /** Makes the id of the next new trace; see `flow-trace-ids.ts`. */
  readonly announceTraceId: (traceId: string) => void
}

/** Spans for sampled flows, forwarded headers for all others. */
export function createEventTracer(options: EventTracerOptions): EventTracer {
  const { sampleRatio, announceTraceId } = options
  const publisher = options.tracerOf(options.serviceName)
  return {
    startProcess(input: TracedInput): ProcessSpan {
      const header = input.envelope.traceparent
      if (header !== undefined && isTraceparent(header)) {
        if (!hasSampledFlag(header)) return new UnsampledProcess(header)
      } else {
        const flowId = input.envelope.flowId
        if (!isFlowSampled(flowId, sampleRatio)) return new UnsampledProcess(unsampledTraceparent(flowId))
        announceTraceId(traceIdOfFlow(flowId))
      }
      return startProcessSpan(options.tracerOf(input.agent), input)
    },
    startFlow(topic: string, eventId: Uuid, flowId: Uuid, source: string): SendSpan {
      if (!isFlowSampled(flowId, sampleRatio)) return unsampledSend(unsampledTraceparent(flowId))
      const ambient = trace.getActiveSpan()?.spanContext()
      announceTraceId(traceIdOfFlow(flowId))
      return startRootSend(publisher, { topic, eventId, flowId, source }, ambient)
    },
  }
}

/** Tracing off: no spans, but headers are forwarded, and first events get one that says "not sampled". */
export const noTracer: EventTracer = {
  startProcess({ envelope }) {
    const header = envelope.traceparent
    return new UnsampledProcess(
      header !== undefined && isTraceparent(header) ? header : unsampledTraceparent(envelope.flowId),
    )
  },
  startFlow: (_topic, _eventId, flowId) => unsampledSend(unsampledTraceparent(flowId)),
}
