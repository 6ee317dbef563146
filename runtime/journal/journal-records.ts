/** The records of `<agent>.journal`, keyed by handling id: entries of journals, and computed outputs that must outlive the store. */
import { agentTopic } from '../../contracts/contract.ts'
import type { OutgoingRecord } from '../ports/broker.ts'
import type { HandlingRef } from '../ports/claim-store.ts'

export const KIND_HEADER = 'laban-journal'
export const FLOW_HEADER = 'laban-flow-id'
export const ENTRY_KIND = 'entry'
export const COMPUTED_KIND = 'computed'

/** An entry in its stored bytes. */
export function entryRecord(agent: string, ref: HandlingRef, value: Buffer): OutgoingRecord {
  return journalRecord(agent, ref, ENTRY_KIND, value)
}

/** Outputs in their stored bytes: several are not appended atomically, so the journal holds them all before the first is published. */
export function computedRecord(agent: string, ref: HandlingRef, outputs: Buffer): OutgoingRecord {
  return journalRecord(agent, ref, COMPUTED_KIND, outputs)
}

function journalRecord(
  agent: string,
  { flowId, handlingId }: HandlingRef,
  kind: string,
  value: Buffer,
): OutgoingRecord {
  const headers = { [KIND_HEADER]: kind, [FLOW_HEADER]: flowId }
  return { topic: agentTopic(agent, 'journal'), key: handlingId, value, headers }
}
