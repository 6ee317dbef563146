/**
 * Starts the export of spans over OTLP/HTTP. The only file that loads the OpenTelemetry SDK. Rule: a trace store that is slow or
 * down costs spans, never an event, and never more than two seconds of a shutdown.
 */
import { context, propagation, trace, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { ExportResultCode, W3CTraceContextPropagator, type ExportResult } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace'
import { describeUnknown } from '../contracts/errors.ts'
import * as names from './attributes.ts'
import { createEventTracer } from './create-tracer.ts'
import type { EventTracer } from './event-tracer.ts'
import { FlowTraceIds } from './flow-trace-ids.ts'

/** Where spans go and how many. */
export interface TracingOptions {
  /** `service.name` of first events that this process publishes; agents are services under their own names. */
  readonly serviceName: string
  /** OTLP/HTTP endpoint; `/v1/traces` is added when it is not there, for example `http://127.0.0.1:4318`. */
  readonly otlpUrl: string
  /** Share of flows that are traced, 0 to 1. */
  readonly sampleRatio: number
  /** `service.instance.id`. */
  readonly instance: string
  /** Sent with every export, for example an authorization; a function is asked each time and must not throw. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>)
  /** Certificate authority (PEM) to trust instead of the system ones. */
  readonly ca?: string
  /** Told when exports begin to fail and when they work again, so that a person can see it; once per change. */
  readonly onExportChange?: (state: 'failing' | 'working', reason: string) => void
}

/** Running tracing. */
export interface Tracing {
  readonly tracer: EventTracer
  /** Exports what is left, for at most 2 s. Never rejects; calling it again gives the same promise. */
  shutdown(): Promise<void>
}

const EXPORT_TIMEOUT_MS = 2_000
const SHUTDOWN_TIMEOUT_MS = 2_000
const EXPORT_EVERY_MS = 1_000
/** At some 2 KB a span, what a dead trace store can cost in memory is about 30 MB. */
const MAX_QUEUED_SPANS = 16_384
const MAX_SPANS_PER_EXPORT = 1_024

/** Starts tracing for one process; agents that share it each appear as a service of their own. */
export function startTracing(options: TracingOptions): Tracing {
  const ids = new FlowTraceIds()
  const exporter = new ReportingExporter(
    new OTLPTraceExporter({
      url: tracesUrl(options.otlpUrl),
      timeoutMillis: EXPORT_TIMEOUT_MS,
      ...(options.headers === undefined ? {} : { headers: headersOf(options.headers) }),
      ...(options.ca === undefined ? {} : { httpAgentOptions: { ca: options.ca, keepAlive: true } }),
    }),
    options.onExportChange,
  )
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MAX_QUEUED_SPANS,
    maxExportBatchSize: MAX_SPANS_PER_EXPORT,
    scheduledDelayMillis: EXPORT_EVERY_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  })
  const common = { idGenerator: ids, spanProcessors: [processor] }
  const tracers = new Map<string, Tracer>()
  const tracerOf = (service: string): Tracer => {
    let tracer = tracers.get(service)
    if (tracer === undefined) {
      const resource = resourceOf(service, options.instance)
      // The event tracer has already decided, so whatever reaches the SDK is recorded.
      tracer = new TracerProvider({ ...common, resource, sampler: new AlwaysOnSampler() }).getTracer('laban')
      tracers.set(service, tracer)
    }
    return tracer
  }
  const unregister = registerGlobals({ ...common, resource: resourceOf(options.serviceName, options.instance) })
  let ended: Promise<void> | undefined
  return {
    tracer: createEventTracer({
      tracerOf,
      serviceName: options.serviceName,
      sampleRatio: options.sampleRatio,
      announceTraceId: (traceId) => ids.announce(traceId),
    }),
    shutdown: () => (ended ??= shutDown(processor, unregister)),
  }
}

/** Makes libraries that handlers use (HTTP clients, model clients) join the trace of the event, unless the program has its own set-up. */
function registerGlobals(common: {
  idGenerator: FlowTraceIds
  spanProcessors: BatchSpanProcessor[]
  resource: Resource
}): () => void {
  const undo: (() => void)[] = []
  if (context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
    undo.push(() => context.disable())
  // Outside a flow nothing is recorded: only what has a sampled parent.
  const sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() })
  if (trace.setGlobalTracerProvider(new TracerProvider({ ...common, sampler }))) undo.push(() => trace.disable())
  if (propagation.setGlobalPropagator(new W3CTraceContextPropagator())) undo.push(() => propagation.disable())
  return () => undo.forEach((step) => step())
}

async function shutDown(processor: BatchSpanProcessor, unregister: () => void): Promise<void> {
  unregister()
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SHUTDOWN_TIMEOUT_MS)
  })
  // A failed last export was reported by the exporter; shutting down goes on.
  await Promise.race([processor.shutdown().catch(() => undefined), timeout])
  clearTimeout(timer)
}

function resourceOf(service: string, instance: string): Resource {
  return defaultResource().merge(
    resourceFromAttributes({ [names.SERVICE_NAME]: service, [names.SERVICE_INSTANCE_ID]: instance }),
  )
}

function headersOf(headers: NonNullable<TracingOptions['headers']>): () => Promise<Record<string, string>> {
  return () => Promise.resolve({ ...(typeof headers === 'function' ? headers() : headers) })
}

function tracesUrl(otlpUrl: string): string {
  const base = otlpUrl.replace(/\/+$/, '')
  return base.endsWith('/v1/traces') ? base : `${base}/v1/traces`
}

/** Says when exports begin to fail and when they work again. */
class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #report: TracingOptions['onExportChange']
  #failing = false

  constructor(exporter: SpanExporter, report: TracingOptions['onExportChange']) {
    this.#exporter = exporter
    this.#report = report
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      this.#note(result)
      done(result)
    })
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve()
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }

  #note(result: ExportResult): void {
    const failing = result.code !== ExportResultCode.SUCCESS
    if (failing === this.#failing) return
    this.#failing = failing
    if (failing) this.#report?.('failing', describeUnknown(result.error ?? 'the trace store refused the spans'))
    else this.#report?.('working', '')
  }
}
