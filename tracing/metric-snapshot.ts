/** The values of metrics at one moment, as plain data: what a process gives to whoever exports them. */
import { BUCKET_BOUNDS_S, type LabelsOf, type MetricName, type MetricOfKind } from './metrics.ts'

/** The value of one series. */
export interface MetricPoint {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The counts of one histogram: `buckets[i]` holds what is at most `BUCKET_BOUNDS_S[i]`, the last one all above; not cumulative. */
export interface HistogramPoint {
  readonly labels: Readonly<Record<string, string>>
  readonly count: number
  /** Seconds. */
  readonly sum: number
  readonly buckets: readonly number[]
}

/** See the file's head. */
export class MetricSnapshot {
  readonly points = new Map<MetricName, MetricPoint[]>()
  readonly histograms = new Map<MetricName, HistogramPoint[]>()

  /** Adds one series of a counter or a gauge. */
  set<N extends MetricOfKind<'counter' | 'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void {
    listOf(this.points, name).push({ labels, value })
  }

  /** Adds one series of a histogram. */
  setHistogram<N extends MetricOfKind<'histogram'>>(name: N, labels: LabelsOf<N>, histogram: Histogram): void {
    listOf(this.histograms, name).push({ labels, ...histogram.read() })
  }

  /** Sum of all series of a metric whose labels are these; 0 when there is none. */
  sumOf(name: MetricName, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels)
    return (this.points.get(name) ?? [])
      .filter((point) => wanted.every(([label, value]) => point.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0)
  }
}

/** Counts of durations by bucket: plain numbers, some tens of nanoseconds per record. */
export class Histogram {
  readonly #buckets = new Float64Array(BUCKET_BOUNDS_S.length + 1)
  #count = 0
  #sumMs = 0

  /** Counts one duration; a negative one, from clocks that differ, counts as 0. */
  record(durationMs: number): void {
    const ms = durationMs > 0 ? durationMs : 0
    const bounds = BOUNDS_MS
    let at = 0
    while (at < bounds.length && ms > (bounds[at] ?? 0)) at++
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1
    this.#count++
    this.#sumMs += ms
  }

  /** What was counted so far. */
  read(): Omit<HistogramPoint, 'labels'> {
    return { count: this.#count, sum: this.#sumMs / 1_000, buckets: [...this.#buckets] }
  }
}

const BOUNDS_MS = BUCKET_BOUNDS_S.map((bound) => bound * 1_000)

function listOf<N, T>(map: Map<N, T[]>, name: N): T[] {
  const list = map.get(name) ?? []
  map.set(name, list)
  return list
}
