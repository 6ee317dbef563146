/**
 * Exports metrics: as text for Prometheus when it asks, and over OTLP where an address is given. With `setup.ts` and `metrics-push.ts`
 * the only file that loads the OpenTelemetry SDK. Rule: nothing is recorded through the SDK on the way of an event; it only carries what was counted.
 */
import { metrics, ValueType } from '@opentelemetry/api'
import { hrTime } from '@opentelemetry/core'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { defaultResource, emptyResource, resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  MetricReader,
  type CollectionResult,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import * as names from './attributes.ts'
import { MetricSnapshot } from './metric-snapshot.ts'
import type { MetricsPush } from './metrics-push.ts'
import { BUCKET_BOUNDS_S, METRIC_TABLE, prometheusName, type MetricName } from './metrics.ts'
import { ProcessFigures } from './process-figures.ts'

/** What is exported, and where to. */
export interface MetricsOptions {
  /** Asked at every export; undefined while there is nothing to tell. It must not reject. */
  readonly source: () => Promise<MetricSnapshot | undefined>
  /** `service.name`. */
  readonly serviceName: string
  /** `service.instance.id`. */
  readonly instance: string
  /** Whether this becomes the meter provider of `@opentelemetry/api`, unless there is one. */
  readonly isGlobal: boolean
  /** Pushes over OTLP/HTTP as well. @default only the text for Prometheus */
  readonly push?: MetricsPush
}

/** Running export. */
export interface Metrics {
  /** All metrics of this process in Prometheus's text format; where `isGlobal`, those of the agents' own meters too. */
  text(): Promise<string>
  /** Pushes what is left, for at most 2 s. Never rejects; calling it again gives the same promise. */
  shutdown(): Promise<void>
}

const SHUTDOWN_TIMEOUT_MS = 2_000

/** Starts the export for one process. */
export async function startMetrics(options: MetricsOptions): Promise<Metrics> {
  const figures = new ProcessFigures()
  const startedAt = hrTime()
  const collect = async (form: NameForm): Promise<CollectionResult> => {
    const snapshot = (await options.source()) ?? new MetricSnapshot()
    figures.addTo(snapshot)
    const scope = { name: 'laban' }
    const found = { scope, metrics: metricData(snapshot, form, startedAt) }
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [found] }, errors: [] }
  }
  const scrape = new ScrapeReader({ metricProducers: [{ collect: () => collect('prometheus') }] })
  const push = await pushReaders(options, () => collect('otlp'))
  const provider = new MeterProvider({ resource: resourceOf(options), readers: [scrape, ...push] })
  const isGlobal = options.isGlobal && metrics.setGlobalMeterProvider(provider)
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true)
  let ended: Promise<void> | undefined
  return {
    text: async () => serializer.serialize((await scrape.collect()).resourceMetrics),
    shutdown: () =>
      (ended ??= atMost(SHUTDOWN_TIMEOUT_MS, async () => {
        if (isGlobal) metrics.disable()
        // Failed exports have been reported by the exporter; shutting down goes on.
        await provider.shutdown().catch(() => undefined)
        figures.close()
      })),
  }
}

/** Prometheus wants the unit in the name; OTLP has a field for it. */
type NameForm = 'prometheus' | 'otlp'

type Time = ReturnType<typeof hrTime>

function metricData(snapshot: MetricSnapshot, form: NameForm, startTime: Time): MetricData[] {
  const endTime = hrTime()
  const common = (name: MetricName) => ({
    descriptor: {
      name: form === 'otlp' ? name : prometheusName(name),
      description: METRIC_TABLE[name].meaning,
      unit: form === 'otlp' ? METRIC_TABLE[name].unit : '',
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  })
  const times = { startTime, endTime }
  const plain = [...snapshot.points].map(([name, points]): MetricData => {
    const dataPoints = points
      // JSON has no infinity.
      .filter(({ value }) => form === 'prometheus' || Number.isFinite(value))
      .map(({ labels, value }) => ({ ...times, attributes: labels, value }))
    return METRIC_TABLE[name].kind === 'counter'
      ? { ...common(name), dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
      : { ...common(name), dataPointType: DataPointType.GAUGE, dataPoints }
  })
  const histograms = [...snapshot.histograms].map(([name, points]): MetricData => {
    const dataPoints = points.map(({ labels, count, sum, buckets }) => {
      const value = { buckets: { boundaries: [...BUCKET_BOUNDS_S], counts: [...buckets] }, count, sum }
      return { ...times, attributes: labels, value }
    })
    return { ...common(name), dataPointType: DataPointType.HISTOGRAM, dataPoints }
  })
  return [...plain, ...histograms]
}

/** The OTLP exporter takes time to load, and few use it. */
async function pushReaders(
  { push }: MetricsOptions,
  collect: () => Promise<CollectionResult>,
): Promise<MetricReader[]> {
  if (push === undefined) return []
  const { pushReader } = await import('./metrics-push.ts')
  return [pushReader(push, collect)]
}

/** Collects when it is told to. */
class ScrapeReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }
}

function resourceOf({ serviceName, instance }: MetricsOptions): Resource {
  return defaultResource().merge(
    resourceFromAttributes({ [names.SERVICE_NAME]: serviceName, [names.SERVICE_INSTANCE_ID]: instance }),
  )
}

async function atMost(limitMs: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([work(), timeout])
  clearTimeout(timer)
}
