/**
 * How long flows take from their first event to their end, as far as this instance has written the line that says they have ended.
 * Whoever writes that line counts the flow: lines replace each other in one order, so each end is counted by one instance, once.
 */
import { Histogram, type FlowSummary, type MetricSnapshot } from '../../runtime/internal.ts'

/** What is read back after a rebuild or a long absence says nothing about now. */
const LATEST_MS = 900_000

interface Counted {
  readonly labels: { readonly topic: string; readonly status: string }
  readonly histogram: Histogram
}

/** See the file's head. */
export class FlowDurations {
  readonly #counted = new Map<string, Counted>()

  /** Counts a flow that has ended `agoMs` ago. */
  add({ firstTopic, status, durationMs }: FlowSummary, agoMs: number): void {
    if (durationMs === null || agoMs > LATEST_MS) return
    const key = `${firstTopic} ${status}`
    const counted = this.#counted.get(key) ?? {
      labels: { topic: firstTopic, status },
      histogram: new Histogram(),
    }
    this.#counted.set(key, counted)
    counted.histogram.record(durationMs)
  }

  /** Adds everything that was counted. */
  addTo(snapshot: MetricSnapshot): void {
    for (const { labels, histogram } of this.#counted.values())
      snapshot.setHistogram('laban.flow.duration', labels, histogram)
  }
}

/** As what a flow has ended by its line; null while it has not. */
export function endOf({ complete, status }: Pick<FlowSummary, 'complete' | 'status'>): string | null {
  return complete ? status : null
}
