/** Pushes metrics over OTLP/HTTP. Rule: a collector that is slow or down costs a line in the log, nothing else. */
import { ExportResultCode, type ExportResult } from '@opentelemetry/core'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import {
  AggregationTemporality,
  PeriodicExportingMetricReader,
  type CollectionResult,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { describeUnknown } from '../contracts/errors.ts'

/** Where metrics are pushed to. */
export interface MetricsPush {
  /** OTLP/HTTP endpoint; `/v1/metrics` is added when it is not there. */
  readonly otlpUrl: string
  readonly everyMs: number
  /** Sent with every export; a function is asked each time and must not throw. */
  readonly headers?: () => Readonly<Record<string, string>>
  /** Certificate authority (PEM) to trust instead of the system ones. */
  readonly ca?: string
  /** Told when exports begin to fail and when they work again; once per change. */
  readonly onExportChange?: (state: 'failing' | 'working', reason: string) => void
}

const EXPORT_TIMEOUT_MS = 2_000

/** Collects and sends every `everyMs`. */
export function pushReader(push: MetricsPush, collect: () => Promise<CollectionResult>): PeriodicExportingMetricReader {
  const { otlpUrl, everyMs, headers, ca, onExportChange } = push
  const exporter = new OTLPMetricExporter({
    url: metricsUrl(otlpUrl),
    timeoutMillis: EXPORT_TIMEOUT_MS,
    temporalityPreference: AggregationTemporality.CUMULATIVE,
    ...(headers === undefined ? {} : { headers: () => Promise.resolve({ ...headers() }) }),
    ...(ca === undefined ? {} : { httpAgentOptions: { ca, keepAlive: true } }),
  })
  return new PeriodicExportingMetricReader({
    exporter: new ReportingExporter(exporter, onExportChange),
    exportIntervalMillis: everyMs,
    exportTimeoutMillis: Math.min(EXPORT_TIMEOUT_MS, everyMs),
    metricProducers: [{ collect }],
  })
}

/** Says when exports begin to fail and when they work again; for the SDK every export succeeds, or it would write to the console. */
class ReportingExporter implements PushMetricExporter {
  readonly #exporter: OTLPMetricExporter
  readonly #report: MetricsPush['onExportChange']
  #failing = false

  constructor(exporter: OTLPMetricExporter, report: MetricsPush['onExportChange']) {
    this.#exporter = exporter
    this.#report = report
  }

  export(found: ResourceMetrics, done: (result: ExportResult) => void): void {
    this.#exporter.export(found, (result) => {
      // The exporter may come with a copy of the enum of its own.
      const failing = Number(result.code) !== Number(ExportResultCode.SUCCESS)
      if (failing !== this.#failing) {
        this.#failing = failing
        if (failing) this.#report?.('failing', describeUnknown(result.error ?? 'the collector refused the metrics'))
        else this.#report?.('working', '')
      }
      done({ code: ExportResultCode.SUCCESS })
    })
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush()
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}

function metricsUrl(otlpUrl: string): string {
  const base = otlpUrl.replace(/\/+$/, '')
  return base.endsWith('/v1/metrics') ? base : `${base}/v1/metrics`
}
