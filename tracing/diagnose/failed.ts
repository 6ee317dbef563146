/** Verdicts on handlings that ended among the dead letters. The code of the error says which kind of end it was. */
import type { VerdictCode } from '../../contracts/verdict-table.ts'
import { discardedOf, discardedText } from '../discarded.ts'
import type { FlowHandling } from '../flow-graph.ts'
import type { DeadLetterSeen } from './observations.ts'
import { verdictOf, type Evidence, type Verdict, type VerdictSubject } from './verdict.ts'
import { agoText, evidence, eventEvidence } from './wording.ts'
import type { World } from './world.ts'

const KINDS: Readonly<Record<string, VerdictCode>> = {
  LABAN_RECORD_QUARANTINED: 'quarantined',
  LABAN_CONTRACT_DECODE: 'undecodable',
  LABAN_CONTRACT_UNKNOWN_SCHEMA: 'undecodable',
  LABAN_CONTRACT_RULE: 'rejected-by-contract',
  LABAN_CONTRACT_VALIDATION: 'rejected-by-contract',
  LABAN_OUTPUT_UNPUBLISHABLE: 'unpublishable',
}
/** A person has decided. */
const DECIDED: ReadonlySet<string> = new Set(['discarded', 'replaced'])

/** What a dead letter with this code stands for. */
export function kindOfDeadLetter(code: string | null): VerdictCode {
  return KINDS[code ?? ''] ?? 'dead-lettered'
}

/** The verdict on a failed handling. */
export function failedVerdict(world: World, handling: FlowHandling): Verdict {
  const { agent, deadLetter: place, endedAtMs } = handling
  const { deadLetter: letter } = world.observed(handling)
  const decided = decidedVerdict(world, handling)
  if (decided !== undefined) return decided
  const about = { subject: subjectOf(world, handling), evidence: letterEvidence(world, handling, letter ?? undefined) }
  if (letter === null) {
    const sentence = `${agent} failed, and its dead letter ${place ?? ''} is no longer kept`
    return verdictOf({ code: 'dead-letter-expired', ...about, sentence, sinceMs: endedAtMs })
  }
  const code = kindOfDeadLetter(letter?.code ?? handling.errorCode)
  const topic = world.inputOf(handling)?.topic ?? 'the event'
  return verdictOf({
    code,
    ...about,
    sentence: `${agent} ${WORDS[code] ?? 'could not handle'} ${topic}: ${problemOf(handling, letter)}`,
    next: nextOf(code, handling),
    sinceMs: letter?.failedAtMs ?? endedAtMs,
  })
}

/** A person has given its dead letter up or replaced it. */
function decidedVerdict(world: World, handling: FlowHandling): Verdict | undefined {
  const { agent, detail, endedAtMs } = handling
  const { deadLetter: letter } = world.observed(handling)
  const action = letter?.status ?? detail['action'] ?? ''
  if (!DECIDED.has(action)) return undefined
  const told = discardedOf(handling)
  const reason = letter?.note ?? told?.reason ?? detail['by'] ?? ''
  const atMs = letter?.markedAtMs ?? told?.atMs ?? endedAtMs
  const fate =
    action === 'discarded'
      ? discardedText({ by: told?.by ?? 'somebody', atMs, reason })
      : `${action}${reason === '' ? '' : `: ${reason}`}`
  return verdictOf({
    code: 'discarded',
    subject: subjectOf(world, handling),
    sentence: `${agent} failed, and its dead letter was ${fate}`,
    evidence: letterEvidence(world, handling, letter ?? undefined),
    sinceMs: atMs,
  })
}

const WORDS: Partial<Readonly<Record<VerdictCode, string>>> = {
  quarantined: 'was killed three times by',
  undecodable: 'cannot read',
  unpublishable: 'could not publish its outputs of',
  'rejected-by-contract': 'met a broken contract in',
}

function problemOf(handling: FlowHandling, letter: DeadLetterSeen | undefined): string {
  const text = handling.errorMessage ?? letter?.message ?? handling.errorCode ?? 'no error is known'
  return text.replace(/\s+/g, ' ').replace(/\.$/, '')
}

function nextOf(code: VerdictCode, { agent, inputs, handlingId }: FlowHandling): string {
  const id = inputs.at(-1) ?? handlingId
  const edits = code === 'rejected-by-contract' || code === 'undecodable'
  return `laban dlq ${edits ? 'show' : 'redrive'} ${id} --agent ${agent}`
}

function letterEvidence(world: World, handling: FlowHandling, letter: DeadLetterSeen | undefined): readonly Evidence[] {
  const { nowMs } = world.seen
  const event = world.inputOf(handling)
  const { errorCode, attempts, endedAtMs, instance, agentVersion, agent } = handling
  const place = letter?.place ?? handling.deadLetter
  return [
    evidence('error', letter?.code ?? errorCode ?? 'unknown', 'laban.facts'),
    ...(place === null || place === undefined ? [] : [evidence('dead letter', place, `${agent}.dead-letter`)]),
    evidence(
      'attempts',
      `${attempts}${endedAtMs === null ? '' : `, the last ended ${agoText(endedAtMs, nowMs)}`} on ${instance} (${agentVersion})`,
      'laban.facts',
    ),
    ...(event === undefined ? [] : [eventEvidence(event, nowMs)]),
  ]
}

function subjectOf(world: World, handling: FlowHandling): VerdictSubject {
  const eventId = handling.inputs.at(-1)
  const topic = world.inputOf(handling)?.topic
  return {
    flowId: world.graph.flowId,
    agent: handling.agent,
    ...(eventId === undefined ? {} : { eventId }),
    ...(topic === undefined ? {} : { topic }),
  }
}
