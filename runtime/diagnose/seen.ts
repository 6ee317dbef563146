/** Turns what ports answer into what a diagnosis is made from: plain data without bytes. */
import type { ClaimSeen, DeadLetterSeen } from '../../tracing/diagnose/observations.ts'
import type { HandlingState } from '../ports/claim-store.ts'
import type { DeadLetter } from '../readback/dead-letters.ts'

/** What is stored of a handling, without its bytes. */
export function claimSeen(state: HandlingState): ClaimSeen {
  switch (state.state) {
    case 'claimed':
    case 'computed':
      return { state: state.state, owner: state.owner, attempt: state.attempt }
    case 'handed':
      return { state: 'handed', kind: state.kind, attempt: state.attempt }
    case 'dead':
      return { state: 'dead', generation: state.generation, isSettled: state.unsettled === undefined }
    default:
      return { state: state.state }
  }
}

/** What a diagnosis says of a dead letter. */
export function deadLetterSeen(letter: DeadLetter): DeadLetterSeen {
  const { place, status, code, message, failedAtMs, note, markedAtMs } = letter
  return { place, status, code, message, failedAtMs, note, markedAtMs }
}
