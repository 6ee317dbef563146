/**
 * What the records of `<agent>.journal` tell of each handling: a pure function of the log, from which the journals of a lost store
 * can be rebuilt. The order of the records does not matter.
 */
import { decodeRecords, type StoredRecord } from '../../contracts/record-format.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { BrokerRecord } from '../ports/broker.ts'
import { decodeEntry, type JournalEntry } from './entry-format.ts'
import { ENTRY_KIND, KIND_HEADER, COMPUTED_KIND, FLOW_HEADER } from './journal-records.ts'

/** One handling as its records tell it. */
export interface RecordedJournal {
  readonly flowId: Uuid
  readonly handlingId: Uuid
  /** Entries by name, restarts taken into account. */
  readonly entries: ReadonlyMap<string, JournalEntry>
  /** The same in bytes: what the store keeps. */
  readonly values: ReadonlyMap<string, Buffer>
  /** Its outputs, once it was computed: the handler has ended and must not run again. */
  readonly computed: { readonly bytes: Buffer; readonly outputs: readonly StoredRecord[] } | null
}

interface Draft {
  readonly flowId: Uuid
  readonly entries: Map<string, { entry: JournalEntry; value: Buffer }>
  computed: Buffer | null
}

/**
 * Journals by handling id. Of several entries of one name the latest counts: by attempt, and in one attempt the one with a result.
 * An owner whose claim was taken cannot have written later ones: an entry goes to the log only after the store has accepted it.
 * @throws LABAN_FORMAT_TOO_NEW
 */
export function readJournal(
  records: Iterable<Pick<BrokerRecord, 'key' | 'value' | 'headers'>>,
): ReadonlyMap<Uuid, RecordedJournal> {
  const drafts = new Map<Uuid, Draft>()
  for (const { key, value, headers } of records) {
    const kind = textOf(headers[KIND_HEADER])
    if (key === null || value === null || (kind !== ENTRY_KIND && kind !== COMPUTED_KIND)) continue
    const handlingId = key.toString('utf8')
    const draft = drafts.get(handlingId) ?? { flowId: textOf(headers[FLOW_HEADER]), entries: new Map(), computed: null }
    drafts.set(handlingId, draft)
    if (kind === COMPUTED_KIND) draft.computed ??= value
    else keepLatest(draft.entries, decodeEntry(value), value)
  }
  return new Map([...drafts].map(([handlingId, draft]) => [handlingId, recorded(handlingId, draft)]))
}

function keepLatest(entries: Draft['entries'], entry: JournalEntry, value: Buffer): void {
  const known = entries.get(entry.name)?.entry
  if (known === undefined || isLater(entry, known)) entries.set(entry.name, { entry, value })
}

/** An intent never hides the result of an effect: its key is the same in every attempt. */
function isLater(entry: JournalEntry, known: JournalEntry): boolean {
  if (entry.kind === 'effect' && known.kind === 'effect' && (entry.result === null) !== (known.result === null))
    return entry.result !== null
  if (entry.generation !== known.generation) return entry.generation > known.generation
  return entry.attempt > known.attempt
}

function recorded(handlingId: Uuid, { flowId, entries, computed }: Draft): RecordedJournal {
  const kept = [...entries]
  return {
    flowId,
    handlingId,
    entries: liveEntries(kept.map(([, { entry }]) => entry)).entries,
    values: new Map(kept.map(([name, { value }]) => [name, value])),
    computed: computed === null ? null : { bytes: computed, outputs: decodeRecords(computed) },
  }
}

/** What counts after restarts: every effect, and the steps since the last one. */
export function liveEntries(all: readonly JournalEntry[]): {
  readonly generation: number
  readonly entries: ReadonlyMap<string, JournalEntry>
} {
  const restarts = all.filter(({ kind }) => kind === 'restart')
  const generation = Math.max(0, ...restarts.map((restart) => restart.generation))
  const live = all.filter(
    (entry) => entry.kind === 'effect' || (entry.kind === 'step' && entry.generation >= generation),
  )
  return { generation, entries: new Map(live.map((entry) => [entry.name, entry])) }
}

function textOf(value: BrokerRecord['headers'][string]): string {
  if (value === undefined) return ''
  return typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : String(value.at(-1) ?? '')
}
