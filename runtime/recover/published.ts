/**
 * Outputs that stand on the log although their handling has not ended: a single output is published without a journal, and is its own.
 * It is put back as the result, so that nothing else is ever said under its id.
 */
import { decodeEnvelope, headerText } from '../../contracts/envelope.ts'
import { joinHandlingId, type Uuid } from '../../contracts/ids.ts'
import { encodeRecords, type StoredRecord } from '../../contracts/record-format.ts'
import type { Agent } from '../agent.ts'
import type { HandlingRef } from '../ports/claim-store.ts'
import type { RestoredHandling } from '../ports/recovery-store.ts'
import { lastValues } from '../admit/member-format.ts'
import { UNKNOWN_POSITION } from './journaled.ts'
import type { LogScan, Origin, ScannedRecord } from './log-scan.ts'
import type { PutBack } from './put-back.ts'

export interface PublishedOptions {
  readonly agent: Agent
  readonly scan: LogScan
  readonly putBack: PutBack
}

/** Puts back what the agent has published to a topic since `origin`, or since the last time. */
export async function putBackPublished(
  { agent, scan, putBack }: PublishedOptions,
  topic: string,
  origin: Origin,
): Promise<void> {
  await scan.each(topic, origin, async (piece) => {
    const own = piece.flatMap((record) => outputOf(agent, record) ?? [])
    const states = await putBack.states(own.map(({ ref }) => ref))
    const open = own.filter((_, index) => isOpen(states[index]?.state))
    await putBack.handlings(open.map(({ ref, record }) => computedOf(ref, record)))
  })
}

interface OwnOutput {
  readonly ref: HandlingRef
  readonly record: ScannedRecord
}

function outputOf(agent: Agent, record: ScannedRecord): OwnOutput | undefined {
  if (headerText(record.headers, 'ce_source') !== agent.name) return undefined
  const { flowId, causes } = decodeEnvelope(record.headers, record)
  const [cause] = causes
  const handlingId: Uuid | undefined = agent.isJoin ? joinHandlingId(agent.name, flowId) : cause
  return handlingId === undefined ? undefined : { ref: { flowId, handlingId }, record }
}

function isOpen(state: string | undefined): boolean {
  return state !== 'done' && state !== 'computed'
}

function computedOf({ flowId, handlingId }: HandlingRef, record: ScannedRecord): RestoredHandling {
  const { topic, key, value, headers } = record
  const stored: StoredRecord = { topic, key, value, headers: lastValues(headers) }
  const result = { owner: '', attempt: 1, position: UNKNOWN_POSITION, outputs: encodeRecords([stored]) }
  return { flowId, handlingId, restored: { state: 'computed', ...result } }
}
