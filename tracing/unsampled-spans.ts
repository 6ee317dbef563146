/** Stand-ins for the spans of a flow that is not sampled. They only carry the header on, and cost next to nothing. */
import { context, trace, TraceFlags } from '@opentelemetry/api'
import type { ProcessSpan, SendSpan } from './event-tracer.ts'
import { partsOfHeader, traceIdOfHeader } from './propagation.ts'

/** An attempt without a span. Takes a valid `traceparent`. */
export class UnsampledProcess implements ProcessSpan {
  readonly spanId = null
  readonly #send: SendSpan

  constructor(traceparent: string) {
    this.#send = unsampledSend(traceparent)
  }

  get traceId(): string {
    return traceIdOfHeader(this.#send.traceparent)
  }

  startSend(): SendSpan {
    return this.#send
  }

  /** Instrumented libraries see the parent's context, so that they do not start traces of their own inside an unsampled flow. */
  run<T>(work: () => T): T {
    const { traceId, spanId, sampled } = partsOfHeader(this.#send.traceparent)
    const spanContext = { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true }
    return context.with(trace.setSpanContext(context.active(), spanContext), work)
  }

  end(): void {
    // Nothing was started.
  }
}

/** A send without a span. */
export function unsampledSend(traceparent: string): SendSpan {
  return { traceparent, end: ignore }
}

function ignore(): void {
  // Nothing was started.
}
