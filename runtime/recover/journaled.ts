/**
 * Steps and results of handlings that have not ended, as `<agent>.journal` tells it: what was paid for is not paid for again, and what
 * was decided is not decided anew.
 */
import { agentTopic } from '../../contracts/contract.ts'
import { headerText } from '../../contracts/envelope.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { Agent } from '../agent.ts'
import { FLOW_HEADER } from '../journal/journal-records.ts'
import { readJournal, type RecordedJournal } from '../journal/read-journal.ts'
import type { HandlingRef, InputPosition } from '../ports/claim-store.ts'
import type { RestoredState } from '../ports/recovery-store.ts'
import type { LogScan, Origin, ScannedRecord } from './log-scan.ts'
import type { PutBack } from './put-back.ts'

/** Nobody's result: whoever meets its event publishes it. Where the event lies is not known, and does not matter for that. */
export const UNKNOWN_POSITION: InputPosition = { topic: '', partition: 0, offset: 0 }

type Kept = Pick<ScannedRecord, 'key' | 'value' | 'headers'>

/** See the file's head. One per recovery. */
export class Journaled {
  readonly #agent: Agent
  readonly #scan: LogScan
  readonly #putBack: PutBack
  readonly #kept: Kept[] = []

  constructor(agent: Agent, scan: LogScan, putBack: PutBack) {
    this.#agent = agent
    this.#scan = scan
    this.#putBack = putBack
  }

  /**
   * Puts back what was recorded since `origin`, or since the last time. Records older than `sinceMs` count for the handlings in
   * `inHand` only: of others, whoever wrote them has ended since.
   */
  async read(origin: Origin, sinceMs: number, inHand: ReadonlySet<Uuid>): Promise<void> {
    await this.#scan.each(agentTopic(this.#agent.name, 'journal'), origin, async (piece) => {
      const wanted = piece.filter(({ key, timestampMs }) => timestampMs >= sinceMs || inHand.has(String(key)))
      const states = await this.#putBack.states(wanted.map(refOf))
      wanted.forEach(({ key, value, headers }, index) => {
        if (states[index]?.state !== 'done') this.#kept.push({ key: copy(key), value: copy(value), headers })
      })
    })
    const journals = [...readJournal(this.#kept).values()]
    const standing = await this.#putBack.handlings(
      journals.map((journal) => ({ ...refIn(journal), restored: stateOf(journal) })),
    )
    const open = journals.filter((_, index) => standing[index]?.state !== 'done')
    await this.#putBack.values(
      open.flatMap((journal) => [...journal.values].map(([name, value]) => ({ ...refIn(journal), name, value }))),
    )
  }
}

function refIn({ flowId, handlingId }: RecordedJournal): HandlingRef {
  return { flowId, handlingId }
}

/** A claim of nobody: who takes it over reads the journal first. */
function stateOf({ entries, computed }: Pick<RecordedJournal, 'entries' | 'computed'>): RestoredState {
  const attempt = Math.max(1, ...[...entries.values()].map((entry) => entry.attempt))
  if (computed === null) return { state: 'claimed', owner: '', attempt, generation: 0 }
  return { state: 'computed', owner: '', attempt, position: UNKNOWN_POSITION, outputs: computed.bytes }
}

function refOf({ key, headers }: ScannedRecord): HandlingRef {
  return { flowId: headerText(headers, FLOW_HEADER) ?? '', handlingId: String(key) }
}

function copy(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}
