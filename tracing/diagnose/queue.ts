/** Verdicts on events that their agent has not begun: behind another one of their key, in a moving queue, or in one that stands. */
import { durationText } from '../duration-text.ts'
import type { FlowEvent, FlowHandling } from '../flow-graph.ts'
import { kindOfDeadLetter } from './failed.ts'
import { cutOffVerdict } from './life.ts'
import type { PartitionSeen, PredecessorSeen } from './observations.ts'
import { verdictOf, type Evidence, type Verdict, type VerdictSubject } from './verdict.ts'
import { agoText, countText, evidence, eventEvidence, lifeEvidence } from './wording.ts'
import type { Instance, World } from './world.ts'

/** What has just been appended cannot have been fetched yet. */
const FRESH_MS = 2_000
/** Whoever has fallen silent longer ago is no member of the group any more. */
const JUST_GONE_MS = 20_000
/** A partition that takes nothing because of what runs in it says so itself by then. */
const TOLD_WITHIN_MS = 45_000

/** An earlier event of its key comes first. Undefined when nothing is known of one. */
export function behindVerdict(world: World, handling: FlowHandling): Verdict | undefined {
  const first = world.observed(handling).predecessor
  if (first === null) return undefined
  const { nowMs } = world.seen
  const event = world.inputOf(handling)
  const isFailed = first.what === 'dead-letter' || first.what === 'retry'
  const subject: VerdictSubject = {
    flowId: world.graph.flowId,
    agent: handling.agent,
    ...(event === undefined ? {} : { eventId: event.id, topic: event.topic }),
  }
  const named = first.key === null ? '' : ` of key ${first.key}`
  return verdictOf({
    code: isFailed ? 'parked-behind' : 'behind-key',
    subject,
    sentence:
      `${event?.topic ?? 'The event'} waits behind ${first.topic}/${first.partition}@${first.offset}${named}, ` +
      (isFailed ? `which ${handling.agent} could not handle` : `which ${handling.agent} has not ended yet`),
    evidence: [
      evidence('first of its key', `event ${first.eventId} of flow ${first.flowId}`, `${handling.agent}.parked`),
      ...(event === undefined ? [] : [eventEvidence(event, nowMs)]),
    ],
    next: `laban why ${first.eventId}`,
    causes: [predecessorVerdict(world, handling.agent, first)],
    ...(first.what === 'retry' ? { standing: 'moving' as const } : {}),
    sinceMs: event?.recordedAtMs ?? null,
  })
}

function predecessorVerdict(world: World, agent: string, first: PredecessorSeen): Verdict {
  const { nowMs } = world.seen
  const subject: VerdictSubject = { flowId: first.flowId, eventId: first.eventId, agent, topic: first.topic }
  const { deadLetter, claim } = first
  if (deadLetter !== null) {
    return verdictOf({
      code: kindOfDeadLetter(deadLetter.code),
      subject,
      sentence: `${agent} could not handle ${first.topic}/${first.partition}@${first.offset}: ${deadLetter.message.replace(/\s+/g, ' ').replace(/\.$/, '')}`,
      evidence: [
        evidence(
          'dead letter',
          `${deadLetter.place}, ${deadLetter.status}, ${agoText(deadLetter.failedAtMs, nowMs)}`,
          `${agent}.dead-letter`,
        ),
      ],
      next: `laban dlq redrive ${first.eventId} --agent ${agent}`,
      sinceMs: deadLetter.failedAtMs,
    })
  }
  const isHeld = claim?.state === 'claimed' || claim?.state === 'computed'
  const code =
    first.what === 'retry' ? 'retrying' : first.what === 'suspended' ? 'suspended' : isHeld ? 'running' : 'queued'
  const words = { retrying: 'is retried later', suspended: 'sleeps', running: 'is running', queued: 'has not ended' }
  return verdictOf({
    code,
    subject,
    sentence: `${first.topic}/${first.partition}@${first.offset} ${words[code]} at ${agent}`,
    evidence: isHeld ? [evidence('claim', `${claim.state} by ${claim.owner}, attempt ${claim.attempt}`, 'store')] : [],
    next: `laban why ${first.eventId}`,
    sinceMs: first.recordedAtMs,
  })
}

/** Its place in the topic, and whether the queue moves. Undefined when its input is finished. */
export function queueVerdict(world: World, handling: FlowHandling): Verdict | undefined {
  const { isInputFinished, runningAhead } = world.observed(handling)
  if (isInputFinished === true) return undefined
  const event = world.inputOf(handling)
  const seen = world.partition(handling.agent, event?.position)
  if (event === undefined || event.position === null) return undefined
  const { nowMs } = world.seen
  const sinceMs = world.recordedAt(event)
  const ageMs = sinceMs === null ? Infinity : nowMs - sinceMs
  const subject = { flowId: world.graph.flowId, eventId: event.id, agent: handling.agent, topic: event.topic }
  const shown = [...queueEvidence(handling.agent, seen, event), eventEvidence(event, nowMs)]
  const moves =
    seen === undefined ||
    seen.moved > 0 ||
    !hasLivedSince(world, handling.agent, sinceMs) ||
    ageMs < FRESH_MS ||
    runningAhead >= roomOf(world, handling.agent) ||
    (runningAhead > 0 && ageMs < TOLD_WITHIN_MS)
  if (moves) {
    const sentence = `${event.topic} waits its turn at ${handling.agent}${positionText(seen, event)}`
    return verdictOf({ code: 'queued', subject, sentence, evidence: shown, sinceMs })
  }
  const cut = cutOffVerdict(world, handling.agent)
  if (cut !== undefined) return { ...cut, evidence: [...cut.evidence, ...shown] }
  const silent = silentVerdict(world, handling, event)
  if (silent !== undefined) return { ...silent, evidence: [...silent.evidence, ...shown] }
  const group = world.agent(handling.agent)?.group
  const members = countText(group?.members ?? 0, 'member')
  const lives = world.alive(handling.agent).map((instance) => lifeEvidence(instance, nowMs))
  return verdictOf({
    code: 'group-stuck',
    subject: { agent: handling.agent, topic: event.topic },
    sentence:
      `The group of ${handling.agent} has ${members}, but ${event.topic}/${event.position.partition} does not move from offset ` +
      `${seen.committed ?? seen.startOffset}, and nothing of it is under way`,
    evidence: [...shown, ...lives],
    next: 'laban agents',
    sinceMs,
  })
}

/** One of several instances has gone silent a moment ago: its partitions stand until the group gives them to another one. */
function silentVerdict(world: World, { agent }: FlowHandling, { id: eventId, topic }: FlowEvent): Verdict | undefined {
  const { nowMs } = world.seen
  const isSilent = ({ life, manifest }: Instance): boolean =>
    life === 'overdue' || (life === 'gone' && nowMs - manifest.seenAtMs < JUST_GONE_MS)
  const [silent] = world.instances(agent).filter(isSilent)
  if (silent === undefined) return undefined
  const { manifest, renewedAgoMs } = silent
  const since = renewedAgoMs === null ? '' : ` for ${durationText(renewedAgoMs)}`
  return verdictOf({
    code: 'lease-expired',
    subject: { flowId: world.graph.flowId, eventId, agent, topic },
    sentence:
      `${manifest.instance} of ${agent} has not renewed its lease${since} (killed, hanging or cut off), and the partition does not ` +
      'move; another instance takes it over when the group notices',
    evidence: [lifeEvidence(silent, nowMs), ...world.alive(agent).map((instance) => lifeEvidence(instance, nowMs))],
    next: 'laban agents',
    sinceMs: renewedAgoMs === null ? null : nowMs - renewedAgoMs,
  })
}

/** Whether an instance has shown life since then: one that was killed a moment ago has a lease, and no fault of its group. */
function hasLivedSince(world: World, agent: string, sinceMs: number | null): boolean {
  const { nowMs } = world.seen
  return world
    .alive(agent)
    .some(({ renewedAgoMs }) => renewedAgoMs === null || nowMs - renewedAgoMs >= (sinceMs ?? -Infinity))
}

/** How many handlers may run at once before others must wait. */
function roomOf(world: World, agent: string): number {
  const rooms = world.alive(agent).map(({ manifest }) => Number(manifest.policies['maxInFlight'] ?? '1000'))
  return Math.max(
    1,
    rooms.reduce((sum, room) => sum + room, 0),
  )
}

function positionText(seen: PartitionSeen | undefined, event: FlowEvent): string {
  if (seen === undefined || event.position === null) return ''
  const ahead = Math.max(0, event.position.offset - (seen.committed ?? seen.startOffset) - seen.finishedAbove)
  if (ahead === 0) return ', as the next'
  if (seen.moved <= 0) return `, ${ahead} before it`
  const etaMs = (ahead / seen.moved) * seen.overMs
  return `, ${ahead} before it; at the rate of now its turn comes in ${durationText(etaMs)}`
}

function queueEvidence(agent: string, seen: PartitionSeen | undefined, event: FlowEvent): readonly Evidence[] {
  if (seen === undefined) return []
  const { committed, endOffset, finishedAbove, moved, overMs } = seen
  const lag = endOffset - (committed ?? seen.startOffset) - finishedAbove
  const rate = `${moved} in ${durationText(overMs)}`
  const place = `group ${agent}`
  return [
    evidence(
      'committed',
      `${committed ?? 'nothing'}, end ${endOffset}, ${countText(finishedAbove, 'offset')} finished above`,
      place,
    ),
    evidence(
      'lag',
      `${countText(lag, 'record')} of ${event.topic}/${event.position?.partition ?? '?'}, moved ${rate}`,
      place,
    ),
  ]
}
