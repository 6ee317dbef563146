/** The table of metrics keeps its own rules: names that both worlds accept, bounded labels, and histograms that count right. */
import { describe, expect, it } from 'vitest'
import { Histogram } from '../../../tracing/metric-snapshot.ts'
import {
  BUCKET_BOUNDS_S,
  METRIC_LABELS,
  METRIC_TABLE,
  prometheusName,
  prometheusSeries,
  type MetricDefinition,
  type MetricName,
} from '../../../tracing/metrics.ts'

const rows = Object.entries(METRIC_TABLE) as [MetricName, MetricDefinition][]

describe('the table of metrics', () => {
  it.each(rows)('%s has a name, a unit, labels and a meaning that can be used', (name, definition) => {
    expect(name).toMatch(/^(laban|nodejs|process)(\.[a-z0-9_]+)+$/)
    expect(definition.unit).toMatch(/^(s|By|1|\{[a-z]+\})$/)
    for (const label of definition.labels) expect(Object.keys(METRIC_LABELS)).toContain(label)
    expect(definition.meaning).toMatch(/^[A-Z01].*\.$/)
  })

  it('gives every series a name of its own', () => {
    const series = rows.flatMap(([name]) => prometheusSeries(name))
    expect(new Set(series).size).toBe(series.length)
    for (const name of series) expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
  })

  it.each([
    ['laban.handling.completed', 'laban_handling_completed_total'],
    ['laban.handling.completion', 'laban_handling_completion_seconds'],
    ['laban.consumer.lag', 'laban_consumer_lag'],
    ['process.memory.usage', 'process_memory_usage_bytes'],
  ] as const)('%s is %s to Prometheus', (name, expected) => {
    expect(prometheusName(name)).toBe(expected)
  })
})

describe('a histogram', () => {
  it('counts what is at most a bound in the bucket of that bound', () => {
    const histogram = new Histogram()
    for (const ms of [0, 1, 2, 2.5, 3_600_000, 3_600_001]) histogram.record(ms)
    const { count, sum, buckets } = histogram.read()
    expect(count).toBe(6)
    expect(sum).toBeCloseTo(7_200.0065)
    expect(buckets).toHaveLength(BUCKET_BOUNDS_S.length + 1)
    expect(buckets.slice(0, 3)).toEqual([2, 2, 0])
    expect(buckets.slice(-2)).toEqual([1, 1])
  })

  it('takes a time before its beginning for none: clocks differ', () => {
    const histogram = new Histogram()
    histogram.record(-5_000)
    expect(histogram.read()).toMatchObject({ count: 1, sum: 0 })
  })
})
