/** What an instance of the ledger counts of itself, as metrics. Figures are taken when somebody asks; counting costs nothing in between. */
import { Histogram, MetricSnapshot } from '../../runtime/internal.ts'
import type { ArchiveFigures } from './archiver.ts'
import type { FlowDurations } from './flow-durations.ts'
import type { Intake } from './intake.ts'

/** Its name as an agent: in manifests, and as consumer group. */
export const LEDGER_AGENT = 'laban.ledger'

/** Counted since the process began. */
export class LedgerFigures {
  /** Facts written. */
  stored = 0
  /** How long each of their transactions took. */
  readonly batches = new Histogram()
  readonly #retries = new Map<string, number>()

  /** Counts a piece of work that failed and is tried again. */
  retried(part: string): void {
    this.#retries.set(part, (this.#retries.get(part) ?? 0) + 1)
  }

  get retries(): ReadonlyMap<string, number> {
    return this.#retries
  }
}

/** What is read: the work of one instance. */
export interface MeasuredWork {
  readonly figures: LedgerFigures
  readonly durations: Pick<FlowDurations, 'addTo'>
  readonly intake: Pick<Intake, 'lostFacts' | 'lagFacts' | 'oldestWaitingAtMs'>
  /** Flows whose line is not up to date. */
  readonly staleFlows: number
  /** By topic. */
  readonly archived: ReadonlyMap<string, Readonly<ArchiveFigures>>
}

/** One reading. */
export function readLedgerMetrics(
  work: MeasuredWork,
  { nowMs, isReady, version }: { readonly nowMs: number; readonly isReady: boolean; readonly version: string },
): MetricSnapshot {
  const { figures, intake } = work
  const snapshot = new MetricSnapshot()
  const oldestAtMs = intake.oldestWaitingAtMs
  snapshot.set('laban.process.ready', {}, Number(isReady))
  snapshot.set('laban.agent.info', { agent: LEDGER_AGENT, version }, 1)
  snapshot.set('laban.ledger.facts', {}, figures.stored)
  snapshot.set('laban.ledger.lost', {}, intake.lostFacts)
  snapshot.set('laban.ledger.lag', {}, intake.lagFacts)
  snapshot.set('laban.ledger.lag_age', {}, oldestAtMs === undefined ? 0 : Math.max(0, nowMs - oldestAtMs) / MS_PER_S)
  snapshot.set('laban.ledger.stale_flows', {}, work.staleFlows)
  snapshot.setHistogram('laban.ledger.batch_duration', {}, figures.batches)
  work.durations.addTo(snapshot)
  for (const reason of PARTS) snapshot.set('laban.ledger.retries', { reason }, figures.retries.get(reason) ?? 0)
  for (const [topic, { stored, lost, lag }] of work.archived) {
    snapshot.set('laban.ledger.archived', { topic }, stored)
    snapshot.set('laban.ledger.archive_lost', { topic }, lost)
    snapshot.set('laban.ledger.archive_lag', { topic }, lag)
  }
  return snapshot
}

const MS_PER_S = 1_000
/** Pieces of work that are tried again. */
const PARTS = ['facts', 'flows', 'manifests', 'indexes', 'archive', 'retention'] as const
