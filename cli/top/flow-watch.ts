/** How flows get on, for `laban top`: asked of the ledger every few seconds, as no single agent knows how long a flow takes. */
import type { Clock, FlowSource } from '../../runtime/internal.ts'
import type { FlowStatus } from '../../tracing/index.ts'

/** Flows now. */
export interface FlowFigures {
  /** That have begun and not ended: handled, or about to be. */
  readonly inProgress: number
  /** That wait for something that is to come: a time, or the rest of a join. */
  readonly waiting: number
  /** That only somebody can set going again. */
  readonly stuck: number
  /** Begun within the last five minutes. */
  readonly completed: number
  readonly failed: number
  /** Of the newest 1,000 of the completed ones, from the first event to the end; null when there is none. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

const WINDOW_MS = 300_000
const SAMPLE = 1_000
const EVERY_MS = 5_000

/** See the file's head. */
export class FlowWatch {
  readonly #source: FlowSource
  readonly #clock: Clock
  #last: { readonly atMs: number; readonly figures: FlowFigures } | undefined

  constructor(source: FlowSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** Null without a ledger: the log would be read from its beginning for it. */
  async look(): Promise<FlowFigures | null> {
    if (this.#source.kind !== 'ledger') return null
    const atMs = this.#clock.steadyMs()
    if (this.#last === undefined || atMs - this.#last.atMs >= EVERY_MS)
      this.#last = { atMs, figures: await this.#read() }
    return this.#last.figures
  }

  async #read(): Promise<FlowFigures> {
    const count = async (status: FlowStatus, since: { readonly sinceMs?: number } = {}): Promise<number> =>
      (await this.#source.search({ status, limit: 1, ...since })).total
    const sinceMs = this.#clock.nowMs() - WINDOW_MS
    const [pending, processing, waiting, stuck, failed, { flows, total }] = await Promise.all([
      count('pending'),
      count('processing'),
      count('waiting'),
      count('stuck'),
      count('failed', { sinceMs }),
      this.#source.search({ status: 'completed', sinceMs, limit: SAMPLE }),
    ])
    const durations = flows.flatMap(({ durationMs }) => durationMs ?? []).sort((a, b) => a - b)
    return {
      ...{ inProgress: pending + processing, waiting, stuck, completed: total, failed },
      p50Ms: percentile(durations, 0.5),
      p99Ms: percentile(durations, 0.99),
    }
  }
}

/** The nearest rank of sorted values. */
function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
