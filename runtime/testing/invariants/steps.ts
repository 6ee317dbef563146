/**
 * I6: a step whose result counts never runs again, and an effect's key never changes. A result counts once it stands on `<agent>.journal`,
 * or once the store has accepted it, until the store loses its memory. Reruns by a process that has lost the handling and cannot know of
 * it are nobody's fault: nothing of them is accepted.
 */
import { decodeEntry, type JournalEntry } from '../../journal/entry-format.ts'
import { ENTRY_KIND, KIND_HEADER } from '../../journal/journal-records.ts'
import { headerText } from '../../../contracts/envelope.ts'
import { placeOf, type Finding, type History, type PastCall } from './history.ts'

/** When results of one step began to count. */
interface Results {
  /** In the store: every time it accepted one. */
  readonly stored: number[]
  /** On the log: the first. */
  logged: { readonly at: number; readonly entry: JournalEntry; readonly place: string } | undefined
}

const JOURNAL = '.journal'

/** I6: what breaks it. */
export function stepsOnce(history: History): Finding[] {
  if (history.calls.length === 0) return []
  const wrong: Finding[] = []
  const results = resultsOf(history, wrong)
  for (const call of history.calls) {
    if (call.isStray) continue
    const known = results.get(nameOf(call.agent, call.handlingId, call.name))
    if (known === undefined) continue
    const { agent, name, handlingId, flowId } = call
    if (known.logged !== undefined && known.logged.at < call.at) {
      const problem = `${agent} ran step ${name} of ${handlingId} again, whose result stands on its journal`
      wrong.push({ invariant: 'I6', problem, flowId, records: [known.logged.place] })
    } else if (known.stored.some((at) => at < call.at && !wasWiped(history, at, call.at))) {
      const problem = `${agent} ran step ${name} of ${handlingId} again, whose result the store had accepted`
      wrong.push({ invariant: 'I6', problem, flowId })
    }
  }
  return [...wrong, ...changedKeys(history.calls)]
}

function resultsOf({ entries, own }: History, wrong: Finding[]): ReadonlyMap<string, Results> {
  const results = new Map<string, Results>()
  const resultOf = (name: string): Results => {
    const known = results.get(name) ?? { stored: [], logged: undefined }
    results.set(name, known)
    return known
  }
  for (const { at, agent, handlingId, entry } of entries)
    if (entry.result !== null) resultOf(nameOf(agent, handlingId, entry.name)).stored.push(at)
  for (const record of own) {
    const { topic, key, value, at } = record
    if (!topic.endsWith(JOURNAL) || key === null || value === null) continue
    if (headerText(record.headers, KIND_HEADER) !== ENTRY_KIND) continue
    const entry = decodeEntry(value)
    if (entry.result === null) continue
    const agent = topic.slice(0, -JOURNAL.length)
    const handlingId = key.toString('utf8')
    const known = resultOf(nameOf(agent, handlingId, entry.name))
    known.logged ??= { at, entry, place: placeOf(record) }
    if (JSON.stringify(known.logged.entry.result) === JSON.stringify(entry.result)) continue
    const problem = `the journal of ${agent} has two results of step ${entry.name} of ${handlingId}`
    wrong.push({ invariant: 'I6', problem, records: [known.logged.place, placeOf(record)] })
  }
  return results
}

function wasWiped({ wipes }: History, from: number, to: number): boolean {
  return wipes.some(({ at }) => at > from && at < to)
}

/** The outside world knows an effect by its key alone. */
function changedKeys(calls: readonly PastCall[]): Finding[] {
  const keys = new Map<string, string | null>()
  return calls.flatMap(({ kind, agent, handlingId, flowId, name, key }): Finding[] => {
    if (kind !== 'effect') return []
    const effect = nameOf(agent, handlingId, name)
    const first = keys.get(effect)
    if (first === undefined) keys.set(effect, key)
    if (first === undefined || first === key) return []
    const problem = `${agent} ran effect ${name} of ${handlingId} with key ${first} and with key ${key}`
    return [{ invariant: 'I6', problem, flowId }]
  })
}

function nameOf(agent: string, handlingId: string, step: string): string {
  return `${agent} ${handlingId} ${step}`
}
