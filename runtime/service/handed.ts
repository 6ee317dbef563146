/** Work that arrives in a retry topic: the event at its first place in the log, finished where it lies now. */
import { decodeEnvelope } from '../../contracts/envelope.ts'
import { eventHeaders } from '../../contracts/event-headers.ts'
import type { Task } from '../consume/task.ts'
import type { Handover } from '../retry/handover.ts'
import type { ClaimRequest, HandlingState } from '../ports/claim-store.ts'

/**
 * The task of the event that was handed over. `finish` finishes the record in the retry topic.
 * @throws LABAN_FORMAT_TOO_NEW
 */
export function handedTask(record: Task, handover: Handover, finish: (record: Task) => void): Task {
  const { origin } = handover
  const headers = eventHeaders(record.headers)
  const { home } = record
  return {
    ...origin,
    key: record.key,
    value: record.value,
    headers,
    envelope: decodeEnvelope(headers, origin),
    bytes: record.bytes,
    laneKey: record.laneKey,
    keyText: record.keyText,
    cancellation: record.cancellation,
    home: {
      topic: origin.topic,
      partition: origin.partition,
      get dropped() {
        return home.dropped
      },
      finish: () => finish(record),
    },
  }
}

/** What the hand-over may be claimed from; undefined when the state belongs to another record, or to nobody. */
export function takeUp(handover: Handover, state: HandlingState): ClaimRequest['from'] | undefined {
  const { kind, attempt, generation } = handover
  if (state.state === 'dead' && kind === 'redrive' && state.generation === generation)
    return { deadGeneration: generation }
  if (state.state !== 'handed' || state.kind !== kind) return undefined
  return state.attempt === attempt ? { handed: state.kind, attempt } : undefined
}
