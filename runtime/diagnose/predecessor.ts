/** Which event of the same key comes before one that waits, and how many others before it are at work. Both are read from the log. */
import { agentTopic } from '../../contracts/contract.ts'
import { decodeEnvelope, type Envelope } from '../../contracts/envelope.ts'
import { joinHandlingId } from '../../contracts/ids.ts'
import type { ClaimSeen, LeaseSeen, PredecessorSeen } from '../../tracing/diagnose/observations.ts'
import type { FlowEvent, FlowHandling } from '../../tracing/flow-graph.ts'
import { parkedPlace } from '../park/parked-record.ts'
import type { BrokerRecord } from '../ports/broker.ts'
import { rangesOf, recordsIn } from '../readback/platform-records.ts'
import { isFinishedAt, type Lookout, type Progress } from './lookout.ts'
import { claimSeen, deadLetterSeen } from './seen.ts'

/** So many records before an event are looked at, those next to the committed offset first. */
const MOST_RECORDS = 2_000
/** So many claims are asked about. */
const MOST_CLAIMS = 300

/** A record that comes before. */
interface Before {
  readonly record: BrokerRecord
  readonly envelope: Envelope
}

/** Undefined position: nothing comes first, or it is not known. */
export async function findPredecessor(
  lookout: Lookout,
  handling: FlowHandling,
  event: FlowEvent,
  { isParked, progress }: { readonly isParked: boolean; readonly progress: Progress | undefined },
): Promise<PredecessorSeen | null> {
  const { position } = event
  const isUnordered = lookout.options.manifests.some(
    ({ agent, policies }) => agent === handling.agent && policies['order'] === 'none',
  )
  if (position === null || handling.join !== null || isUnordered) return null
  const own = await recordAt(lookout, position.topic, position.partition, position.offset)
  const key = own?.key ?? null
  if (key === null) return null
  const parked = await firstParked(lookout, handling.agent, event, key)
  const offset =
    parked ?? (isParked || progress === undefined ? undefined : await firstOpen(lookout, event, key, progress))
  if (offset === undefined) return null
  return predecessorAt(lookout, handling.agent, event, offset)
}

/** The lowest offset of the same key on the agent's `parked` topic. */
async function firstParked(
  lookout: Lookout,
  agent: string,
  { position }: FlowEvent,
  key: Buffer,
): Promise<number | undefined> {
  if (position === null) return undefined
  const { topic, partition, offset } = position
  const waiting = new Set<number>()
  for (const range of await rangesOf(lookout.options.broker, agentTopic(agent, 'parked'))) {
    if (range.partition !== partition) continue
    for await (const record of recordsIn(lookout.options.broker, range)) {
      const place = record.key === null ? undefined : parkedPlace(record.key)
      if (place?.topic !== topic || place.partition !== partition || !place.key.equals(key)) continue
      if (record.value === null) waiting.delete(place.offset)
      else waiting.add(place.offset)
    }
  }
  const first = Math.min(...waiting)
  return first < offset ? first : undefined
}

/** The lowest unfinished offset of the same key that the agent has been sent. */
async function firstOpen(
  lookout: Lookout,
  event: FlowEvent,
  key: Buffer,
  progress: Progress,
): Promise<number | undefined> {
  for await (const { record } of recordsBefore(lookout, event, progress)) {
    if (record.key?.equals(key) === true) return record.offset
  }
  return undefined
}

async function* recordsBefore(lookout: Lookout, { position }: FlowEvent, progress: Progress): AsyncGenerator<Before> {
  if (position === null) return
  const { topic, partition, offset } = position
  const fromOffset = Math.max(progress.committed ?? progress.startOffset, progress.startOffset)
  const toOffset = Math.min(offset, fromOffset + MOST_RECORDS)
  for await (const record of recordsIn(lookout.options.broker, { topic, partition, fromOffset, toOffset })) {
    if (record.offset >= toOffset) return
    if (isFinishedAt(progress, record.offset)) continue
    yield { record, envelope: decodeEnvelope(record.headers, { topic, partition, ...record }) }
  }
}

async function predecessorAt(
  lookout: Lookout,
  agent: string,
  { position }: FlowEvent,
  offset: number,
): Promise<PredecessorSeen | null> {
  if (position === null) return null
  const { topic, partition } = position
  const record = await recordAt(lookout, topic, partition, offset)
  if (record === undefined) return null
  const { id, flowId } = decodeEnvelope(record.headers, { topic, partition, ...record })
  const [state] = (await lookout.ask((store) => store.viewOf(agent).handlings([{ flowId, handlingId: id }]))) ?? []
  const claim: ClaimSeen | null = state === undefined ? null : claimSeen(state)
  const letters = await lookout.deadLetters(agent)
  const letter = letters.findLast(
    ({ eventId, status }) => eventId === id && (status === 'open' || status === 'redriven'),
  )
  const isDead = letter !== undefined && letter.status === 'open'
  const handed = claim?.state === 'handed' ? claim.kind : undefined
  return {
    eventId: id,
    flowId,
    topic,
    partition,
    offset,
    key: record.key === null || record.key.toString('utf8') === flowId ? null : record.key.toString('utf8'),
    what: isDead ? 'dead-letter' : handed === 'retry' ? 'retry' : handed === 'suspended' ? 'suspended' : 'open',
    recordedAtMs: record.timestampMs,
    claim,
    deadLetter: isDead ? deadLetterSeen(letter) : null,
  }
}

async function recordAt(
  { options }: Lookout,
  topic: string,
  partition: number,
  offset: number,
): Promise<BrokerRecord | undefined> {
  const range = (await rangesOf(options.broker, topic)).find((each) => each.partition === partition)
  if (range === undefined || offset < range.fromOffset || offset >= range.toOffset) return undefined
  for await (const record of recordsIn(options.broker, { ...range, fromOffset: offset, toOffset: offset + 1 })) {
    if (record.offset === offset) return record
  }
  return undefined
}

/** How many records before the event are claimed by processes whose lease has not ended. */
export async function runningAhead(
  lookout: Lookout,
  handling: FlowHandling,
  event: FlowEvent,
  { progress, leases }: { readonly progress: Progress; readonly leases: ReadonlyMap<string, LeaseSeen> },
): Promise<number> {
  const refs: { readonly flowId: string; readonly handlingId: string }[] = []
  for await (const { envelope } of recordsBefore(lookout, event, progress)) {
    const { id, flowId } = envelope
    refs.push({ flowId, handlingId: handling.join === null ? id : joinHandlingId(handling.agent, flowId) })
    if (refs.length >= MOST_CLAIMS) break
  }
  if (refs.length === 0) return 0
  const states = (await lookout.ask((store) => store.viewOf(handling.agent).handlings(refs))) ?? []
  return states.filter(
    (state) =>
      (state.state === 'claimed' || state.state === 'computed') && leases.get(state.owner)?.remainingMs !== null,
  ).length
}
