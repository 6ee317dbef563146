/** What the runtime asks of tracing: one span per attempt, one per published event, and nothing at all when a flow is not sampled. */
import type { Envelope } from '../contracts/envelope.ts'

/** The record that is being handled. */
export interface TracedInput {
  readonly agent: string
  readonly group: string
  readonly instance: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly envelope: Envelope
  readonly attempt: number
  /** The other members of a join; they become links. */
  readonly members?: readonly Envelope[]
  /** `spanId` of the attempt before this one; it becomes a link. */
  readonly previousSpanId?: string
}

/** Span of one send; its `traceparent` travels in the event. */
export interface SendSpan {
  readonly traceparent: string
  /** Ends the span; without a position the send failed or is unknown. */
  end(position?: { readonly partition: number; readonly offset: number }, error?: unknown): void
}

/** Span of one attempt to handle one record. */
export interface ProcessSpan {
  /** 32 hex digits; null when the event carries no trace context. */
  readonly traceId: string | null
  readonly spanId: string | null
  /** A child span `send <topic>`; starts now. */
  startSend(topic: string, eventId: string, flowId: string): SendSpan
  /** Runs `work` with this span active, so that instrumented libraries used by a handler join the trace. */
  run<T>(work: () => T): T
  end(outcome: string, error?: unknown): void
}

/** Made by `createEventTracer`; `noTracer` when tracing is off. */
export interface EventTracer {
  /** `process <topic>`: parent and link is the event's own context; a join links its other members. */
  startProcess(input: TracedInput): ProcessSpan
  /** `send <topic>` of a first event: decides by flow id whether the flow is sampled. The trace id derives from the flow id. */
  startFlow(topic: string, eventId: string, flowId: string, source: string): SendSpan
}
