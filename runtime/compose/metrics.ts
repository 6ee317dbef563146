/** Metrics as configured. The exporter is loaded only where it is used. */
import { hostname } from 'node:os'
import type { MetricSnapshot } from '../../tracing/metric-snapshot.ts'
import type { MetricsPush } from '../../tracing/metrics-push.ts'
import type { Metrics } from '../../tracing/metrics-setup.ts'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../ports/logger.ts'
import { metricsAccess } from './server-access.ts'

/** Whose metrics, and under which name. */
export interface OpenMetricsOptions {
  readonly serviceName: string
  readonly log: Logger
  /** Whether meters that agents get from `@opentelemetry/api` are exported too, unless the program has its own set-up. @default true */
  readonly isGlobal?: boolean
  /** Asked at every export. */
  readonly source: () => Promise<MetricSnapshot | undefined>
}

/** Starts the export; undefined when the configuration turns metrics off. */
export async function openMetrics(config: Config, options: OpenMetricsOptions): Promise<Metrics | undefined> {
  if (!config.metrics.enabled) return undefined
  const { startMetrics } = await import('../../tracing/metrics-setup.ts')
  const push = pushOf(config, options.log)
  const { source, serviceName, isGlobal = true } = options
  return startMetrics({
    ...{ source, serviceName, isGlobal },
    instance: `${hostname()}-${process.pid}`,
    ...(push === undefined ? {} : { push }),
  })
}

function pushOf(config: Config, log: Logger): MetricsPush | undefined {
  const { otlpUrl, otlpEveryMs } = config.metrics
  if (otlpUrl === undefined) return undefined
  return {
    otlpUrl,
    everyMs: otlpEveryMs,
    ...metricsAccess(config),
    onExportChange: (state, reason) => log.warn(`export of metrics is ${state}`, { reason }),
  }
}
