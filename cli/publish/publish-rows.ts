/** Publishes rows one after the other, many at a time: order is kept, memory is bounded, a bad row is reported and harms no other. */
import { isLabanError, LabanError } from '../../contracts/index.ts'
import { delay, systemClock, type Publisher } from '../../runtime/internal.ts'
import type { InputRow } from './read-rows.ts'
import type { RowIds } from './row-ids.ts'
import type { RowMapper } from './row-map.ts'

/** Parts and limits of one run. */
export interface PublishRowsOptions {
  readonly topic: string
  /** For errors. */
  readonly file: string
  readonly rows: AsyncIterable<InputRow>
  readonly mapper: RowMapper
  readonly ids: RowIds
  /** Column of the ids, for errors. */
  readonly idColumn: string | undefined
  readonly publisher: Publisher
  /** Events per second; undefined: as fast as it goes. */
  readonly rate: number | undefined
  readonly onError: 'stop' | 'skip'
  readonly signal: AbortSignal
  /** Told after every acknowledged event, in file order. */
  onPublished(eventId: string, totals: Totals): void
  onBadRow(error: LabanError): void
}

/** How a run ended. */
export interface RowsPublished {
  readonly totals: Totals
  /** The bad row that stopped it. */
  readonly stoppedBy: LabanError | undefined
}

/** Counts of rows. */
export interface Totals {
  readonly published: number
  /** Rows that repeat an earlier row under the same id. */
  readonly repeated: number
  readonly failed: number
}

/** Rows under way at once: enough to fill the producer's batches, few enough to keep their order and little memory. */
const MAX_UNDER_WAY = 2_000

/** Errors that one row can cause; anything else ends the run. */
const ROW_ERRORS: ReadonlySet<string> = new Set([
  'LABAN_CONTRACT_VALIDATION',
  'LABAN_CONTRACT_RULE',
  'LABAN_BROKER_MESSAGE_TOO_LARGE',
])

type Outcome = { readonly eventId: string } | { readonly error: unknown }

/** Publishes all rows. @throws whatever is not one row's fault; everything before it has been published */
export async function publishRows(options: PublishRowsOptions): Promise<RowsPublished> {
  const run = new Run(options)
  const startedAtMs = systemClock.nowMs()
  let sent = 0
  for await (const row of options.rows) {
    if (options.signal.aborted || run.stoppedBy !== undefined) break
    if (options.rate !== undefined) {
      const dueAtMs = startedAtMs + (sent / options.rate) * 1_000
      if (dueAtMs > systemClock.nowMs()) await run.waitUntil(dueAtMs)
    }
    if (await run.take(row)) sent++
  }
  await run.settleAll()
  return run
}

class Run {
  readonly totals = { published: 0, repeated: 0, failed: 0 }
  stoppedBy: LabanError | undefined
  readonly #options: PublishRowsOptions
  readonly #underWay: Promise<Outcome & { row: InputRow }>[] = []

  constructor(options: PublishRowsOptions) {
    this.#options = options
  }

  /** Sends a row on its way; false when there was nothing to send. */
  async take(row: InputRow): Promise<boolean> {
    const { mapper, ids, idColumn, topic, publisher } = this.#options
    const mapped = mapper.map(row)
    if ('bad' in mapped) {
      const { column, field, expected, cell } = mapped.bad
      return this.#fail(
        row,
        column,
        field,
        `expected ${expected}${cell === undefined ? '' : `, found ${shorten(cell)}`}`,
      )
    }
    const id = ids.next(row.line, row.cells, mapped.value)
    if ('problem' in id) return this.#fail(row, idColumn ?? '', 'event id', `expected ${id.problem}`)
    if ('repeats' in id) {
      this.totals.repeated++
      return false
    }
    while (this.#underWay.length >= MAX_UNDER_WAY) await this.#settleFirst()
    this.#underWay.push(
      publisher.publish(topic as never, mapped.value as never, { id: id.eventId }).then(
        ({ eventId }) => ({ eventId, row }),
        (error: unknown) => ({ error, row }),
      ),
    )
    return true
  }

  async waitUntil(atMs: number): Promise<void> {
    await delay(systemClock, atMs - systemClock.nowMs(), this.#options.signal)
    // With a rate the queue is short: settling it here keeps the progress honest.
    while (this.#underWay.length > 0 && this.stoppedBy === undefined) await this.#settleFirst()
  }

  async settleAll(): Promise<void> {
    while (this.#underWay.length > 0) await this.#settleFirst()
  }

  async #settleFirst(): Promise<void> {
    const outcome = await this.#underWay.shift()
    if (outcome === undefined) return
    if ('eventId' in outcome) {
      this.totals.published++
      this.#options.onPublished(outcome.eventId, this.totals)
      return
    }
    const { error, row } = outcome
    if (!isLabanError(error) || !ROW_ERRORS.has(error.code)) throw error
    const path = typeof error.details['path'] === 'string' ? error.details['path'] : ''
    this.#fail(
      row,
      path === '' ? '(row)' : this.#options.mapper.columnOf(path),
      path === '' ? '(all)' : path,
      error.message,
    )
  }

  #fail({ line }: InputRow, column: string, field: string, problem: string): false {
    const { file, onError, onBadRow } = this.#options
    this.totals.failed++
    const error = new LabanError('LABAN_PUBLISH_BAD_ROW', { file, row: line, column, field, problem })
    if (onError === 'stop') this.stoppedBy ??= error
    onBadRow(error)
    return false
  }
}

function shorten(cell: unknown): string {
  const text = JSON.stringify(cell) ?? String(cell)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
