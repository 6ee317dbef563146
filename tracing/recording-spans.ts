/** Real spans: what they are called, what they carry, who their parent is and what they link to. */
import {
  context,
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Link,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api'
import type { Envelope } from '../contracts/envelope.ts'
import { describeUnknown, isLabanError } from '../contracts/errors.ts'
import type { Uuid } from '../contracts/ids.ts'
import * as names from './attributes.ts'
import type { ProcessSpan, SendSpan, TracedInput } from './event-tracer.ts'
import { formatTraceparent, parseTraceparent } from './propagation.ts'
import { processSpanName, sendSpanName } from './span-names.ts'

/**
 * `process <topic>`: child of the event's own context, which is also linked, so that tools which follow only one of the two find
 * it. Without a context (a foreign producer) it is the root of the flow's trace.
 */
export function startProcessSpan(tracer: Tracer, input: TracedInput): ProcessSpan {
  const parent = remoteContext(input.envelope)
  const options = { kind: SpanKind.CONSUMER, attributes: processAttributes(input), links: processLinks(input, parent) }
  const parentContext = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
  return new RecordingProcess(tracer, tracer.startSpan(processSpanName(input.topic), options, parentContext))
}

/** What is known about an event when its send begins. */
export interface FirstEvent {
  readonly topic: string
  readonly eventId: Uuid
  readonly flowId: Uuid
  readonly source: string
}

/** `send <topic>` of a first event: the root of the flow's trace, linked to whatever the publisher was doing. */
export function startRootSend(tracer: Tracer, event: FirstEvent, ambient: SpanContext | undefined): SendSpan {
  const attributes = { ...sendAttributes(event.topic, event.eventId, event.flowId), [names.LABAN_SOURCE]: event.source }
  const links = ambient === undefined ? [] : [linkTo(ambient, 'publisher')]
  return new RecordingSend(
    tracer.startSpan(sendSpanName(event.topic), { kind: SpanKind.PRODUCER, attributes, links }, ROOT_CONTEXT),
  )
}

class RecordingProcess implements ProcessSpan {
  readonly traceId: string
  readonly spanId: string
  readonly #tracer: Tracer
  readonly #span: Span

  constructor(tracer: Tracer, span: Span) {
    this.#tracer = tracer
    this.#span = span
    const { traceId, spanId } = span.spanContext()
    this.traceId = traceId
    this.spanId = spanId
  }

  startSend(topic: string, eventId: Uuid, flowId: Uuid): SendSpan {
    const options = { kind: SpanKind.PRODUCER, attributes: sendAttributes(topic, eventId, flowId) }
    return new RecordingSend(
      this.#tracer.startSpan(sendSpanName(topic), options, trace.setSpan(ROOT_CONTEXT, this.#span)),
    )
  }

  run<T>(work: () => T): T {
    return context.with(trace.setSpan(context.active(), this.#span), work)
  }

  end(outcome: string, error?: unknown): void {
    this.#span.setAttribute(names.LABAN_OUTCOME, outcome)
    if (error !== undefined) markFailed(this.#span, error)
    this.#span.end()
  }
}

class RecordingSend implements SendSpan {
  readonly traceparent: string
  readonly #span: Span

  constructor(span: Span) {
    this.#span = span
    const { traceId, spanId, traceFlags } = span.spanContext()
    this.traceparent = formatTraceparent(traceId, spanId, (traceFlags & TraceFlags.SAMPLED) !== 0)
  }

  end(position?: { readonly partition: number; readonly offset: number }, error?: unknown): void {
    if (position !== undefined) {
      this.#span.setAttribute(names.MESSAGING_DESTINATION_PARTITION_ID, String(position.partition))
      this.#span.setAttribute(names.MESSAGING_KAFKA_OFFSET, position.offset)
    }
    if (error !== undefined) markFailed(this.#span, error)
    this.#span.end()
  }
}

function processAttributes(input: TracedInput): Attributes {
  const attributes: Attributes = {
    [names.MESSAGING_SYSTEM]: 'kafka',
    [names.MESSAGING_OPERATION_NAME]: 'process',
    [names.MESSAGING_OPERATION_TYPE]: 'process',
    [names.MESSAGING_DESTINATION_NAME]: input.topic,
    [names.MESSAGING_DESTINATION_PARTITION_ID]: String(input.partition),
    [names.MESSAGING_CONSUMER_GROUP_NAME]: input.group,
    [names.MESSAGING_CLIENT_ID]: input.instance,
    [names.MESSAGING_MESSAGE_ID]: input.envelope.id,
    [names.MESSAGING_MESSAGE_CONVERSATION_ID]: input.envelope.flowId,
    [names.MESSAGING_KAFKA_OFFSET]: input.offset,
    [names.LABAN_AGENT]: input.agent,
    [names.LABAN_EVENT_TYPE]: input.envelope.type,
    [names.LABAN_ATTEMPT]: input.attempt,
    [names.LABAN_HOP]: input.envelope.hop,
  }
  if (input.key !== null) attributes[names.MESSAGING_KAFKA_MESSAGE_KEY] = input.key
  return attributes
}

function sendAttributes(topic: string, eventId: Uuid, flowId: Uuid): Attributes {
  return {
    [names.MESSAGING_SYSTEM]: 'kafka',
    [names.MESSAGING_OPERATION_NAME]: 'send',
    [names.MESSAGING_OPERATION_TYPE]: 'send',
    [names.MESSAGING_DESTINATION_NAME]: topic,
    [names.MESSAGING_MESSAGE_ID]: eventId,
    [names.MESSAGING_MESSAGE_CONVERSATION_ID]: flowId,
  }
}

function processLinks(input: TracedInput, parent: SpanContext | undefined): Link[] {
  const links: Link[] = parent === undefined ? [] : [linkTo(parent, 'creation')]
  for (const member of input.members ?? []) {
    const memberContext = member.id === input.envelope.id ? undefined : remoteContext(member)
    if (memberContext !== undefined) links.push(linkTo(memberContext, 'join-member'))
  }
  if (parent !== undefined && input.previousSpanId !== undefined) {
    links.push(linkTo({ ...parent, spanId: input.previousSpanId }, 'previous-attempt'))
  }
  return links
}

function linkTo(spanContext: SpanContext, reason: string): Link {
  return { context: spanContext, attributes: { [names.LABAN_LINK]: reason } }
}

/** The context that an event's headers carry. */
function remoteContext(envelope: Envelope): SpanContext | undefined {
  const parent = parseTraceparent(envelope.traceparent)
  if (parent === undefined) return undefined
  const traceFlags = parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  const spanContext = { traceId: parent.traceId, spanId: parent.spanId, traceFlags, isRemote: true }
  return envelope.tracestate === undefined
    ? spanContext
    : { ...spanContext, traceState: createTraceState(envelope.tracestate) }
}

function markFailed(span: Span, error: unknown): void {
  span.setAttribute(names.ERROR_TYPE, errorType(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message: describeUnknown(error) })
  if (error instanceof Error) span.recordException(error)
}

function errorType(error: unknown): string {
  if (isLabanError(error)) return error.code
  return error instanceof Error ? error.name : '_OTHER'
}
