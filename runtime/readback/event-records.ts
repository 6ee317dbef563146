/**
 * Meets the events of flows on their topics. Values are hashed and not decoded: they may be large, secret or broken, but two records
 * of one id must have one content.
 */
import { hash } from 'node:crypto'
import { AGENTS_TOPIC, FACTS_TOPIC, type TopicContract } from '../../contracts/contract.ts'
import { decodeEnvelope, headerText } from '../../contracts/envelope.ts'
import type { Fact } from '../../contracts/fact.ts'
import type { Uuid } from '../../contracts/ids.ts'
import { partitionOfKey } from '../../contracts/murmur2.ts'
import { positionText, type SeenEvent } from '../../tracing/event-drafts.ts'
import type { LogPosition } from '../../tracing/flow-graph.ts'
import type { BrokerRecord, TopicPartition } from '../ports/broker.ts'
import { rangesOf, recordsIn, type LogSource, type PartitionRange } from './platform-records.ts'

/** Producers stamp their own time on records; a flow is not looked for earlier than this before its first fact. */
const CLOCK_MARGIN_MS = 600_000

/** All events of one flow, in no particular order. Facts narrow the search and point at records outside of it. */
export async function readEventsOf(
  source: LogSource,
  flowId: Uuid,
  facts: readonly Fact[],
): Promise<readonly SeenEvent[]> {
  const seen = new Map<string, SeenEvent>()
  const sinceMs = earliestRecord(facts)
  for (const contract of eventTopics(source)) {
    for (const range of await rangesOfFlow(source, contract, flowId, sinceMs)) {
      for await (const record of recordsIn(source.broker, range)) {
        if (!mayBelongTo(record, flowId)) continue
        const event = seenEvent(range, record)
        if (event.envelope.flowId === flowId) seen.set(positionText(event.position), event)
      }
    }
  }
  const rangesByTopic = new Map<string, readonly PartitionRange[]>()
  // A foreign first event lies wherever its producer's key put it, as do events from before a topic had more partitions.
  for (const position of positionsIn(facts)) {
    if (seen.has(positionText(position))) continue
    const ranges = rangesByTopic.get(position.topic) ?? (await rangesOf(source.broker, position.topic))
    rangesByTopic.set(position.topic, ranges)
    const event = await readAt(source, position, ranges)
    if (event?.envelope.flowId === flowId) seen.set(positionText(position), event)
  }
  return [...seen.values()]
}

/** All events of all topics that have a contract, by flow. Holds every header of the log in memory. */
export async function readAllEvents(source: LogSource): Promise<ReadonlyMap<Uuid, readonly SeenEvent[]>> {
  const byFlow = new Map<Uuid, SeenEvent[]>()
  for (const { name } of eventTopics(source)) {
    for (const range of await rangesOf(source.broker, name)) {
      for await (const record of recordsIn(source.broker, range)) {
        const event = seenEvent(range, record)
        const events = byFlow.get(event.envelope.flowId)
        if (events === undefined) byFlow.set(event.envelope.flowId, [event])
        else events.push(event)
      }
    }
  }
  return byFlow
}

/** Topics that hold events: all that have a contract, but for the platform's own. */
export function eventTopics(source: LogSource): readonly TopicContract[] {
  return [...source.contracts.topics.values()].filter(({ name }) => name !== FACTS_TOPIC && name !== AGENTS_TOPIC)
}

async function rangesOfFlow(
  { broker }: LogSource,
  contract: TopicContract,
  flowId: Uuid,
  sinceMs: number | null,
): Promise<readonly PartitionRange[]> {
  const all = await rangesOf(broker, contract.name)
  const own =
    contract.keyField === null ? all.filter((range) => range.partition === partitionOfKey(flowId, all.length)) : all
  if (sinceMs === null || own.length === 0) return own
  const since = new Map((await broker.admin.offsetsAt(contract.name, sinceMs)).map((at) => [at.partition, at.offset]))
  return own.map((range) => ({ ...range, fromOffset: Math.max(range.fromOffset, since.get(range.partition) ?? 0) }))
}

/** Deriving the id of a foreign record costs a hash, so it is only done where there is no flow id to compare. */
function mayBelongTo(record: BrokerRecord, flowId: Uuid): boolean {
  const found = headerText(record.headers, 'ce_correlationid')
  return found === undefined || found === flowId
}

/** A record as an event of its flow; of somebody else's producer it begins one. */
export function seenEvent({ topic, partition }: TopicPartition, record: BrokerRecord): SeenEvent {
  const { offset, timestampMs } = record
  const envelope = decodeEnvelope(record.headers, { topic, partition, offset, timestampMs })
  const key = record.key?.toString('utf8') ?? null
  const position = { topic, partition, offset }
  const content = record.value === null ? {} : { hash: valueHash(record.value) }
  return { envelope, position, recordedAtMs: timestampMs, key: key === envelope.flowId ? null : key, ...content }
}

/** As facts have it of what they say was published. */
function valueHash(value: Buffer): string {
  return hash('sha256', value, 'hex').slice(0, 16)
}

function earliestRecord(facts: readonly Fact[]): number | null {
  const times = facts.flatMap((fact) => [fact.startedAtMs, ...fact.inputs.map((input) => input.recordedAtMs)])
  return times.length === 0 ? null : Math.min(...times) - CLOCK_MARGIN_MS
}

function positionsIn(facts: readonly Fact[]): readonly LogPosition[] {
  const positions = new Map<string, LogPosition>()
  for (const { inputs, outputs } of facts) {
    for (const { topic, partition, offset } of [...inputs, ...outputs]) {
      const position = { topic, partition, offset }
      if (offset >= 0) positions.set(positionText(position), position)
    }
  }
  return [...positions.values()]
}

async function readAt(
  { broker }: LogSource,
  { partition, offset }: LogPosition,
  ranges: readonly PartitionRange[],
): Promise<SeenEvent | undefined> {
  const range = ranges.find((candidate) => candidate.partition === partition)
  if (range === undefined || offset < range.fromOffset || offset >= range.toOffset) return undefined
  for await (const record of recordsIn(broker, { ...range, fromOffset: offset, toOffset: offset + 1 })) {
    if (record.offset === offset) return seenEvent(range, record)
  }
  return undefined
}
