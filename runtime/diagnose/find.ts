/**
 * Finds what a person means: a flow id, an event id, `topic/partition@offset`, the beginning of a flow id, or a record key. Events
 * that no fact tells of are looked for on their topics, so programs that know nothing of laban are found too.
 */
import { foreignEventId, isUuid, type Uuid } from '../../contracts/ids.ts'
import { headerText } from '../../contracts/envelope.ts'
import { isLabanError } from '../../contracts/errors.ts'
import type { SeenEvent } from '../../tracing/event-drafts.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { reconstructFlow } from '../../tracing/reconstruct.ts'
import type { BrokerRecord, TopicPartition } from '../ports/broker.ts'
import { eventTopics, seenEvent } from '../readback/event-records.ts'
import type { FlowSource } from '../readback/flow-source.ts'
import { rangesOf, recordsIn, type LogSource } from '../readback/platform-records.ts'

/** What was found. */
export interface Found {
  readonly graph: FlowGraph
  /** Set when one event was asked for, and not its whole flow. */
  readonly eventId?: Uuid
  /** Other flows that fit as well. */
  readonly others: readonly Uuid[]
}

/** What is searched with. */
export interface Search {
  readonly source: FlowSource
  readonly log: LogSource
}

const POSITION = /^(.+)\/(\d+)@(\d+)$/
/** Flows that are looked at when a key fits several. */
const MOST_FLOWS = 50

/** Undefined: nothing carries it. @throws as `FlowSource.flow` */
export async function findSubject(search: Search, id: string): Promise<Found | undefined> {
  const position = POSITION.exec(id)
  if (position !== null) return atPosition(search, position)
  const uuid = id.toLowerCase()
  return isUuid(uuid) ? byUuid(search, uuid) : byKey(search, id)
}

async function atPosition(
  search: Search,
  [, topic = '', partition, offset]: RegExpExecArray,
): Promise<Found | undefined> {
  const at = { topic, partition: Number(partition) }
  const range = (await rangesOf(search.log.broker, topic)).find((each) => each.partition === at.partition)
  const wanted = Number(offset)
  if (range === undefined || wanted < range.fromOffset || wanted >= range.toOffset) return undefined
  for await (const record of recordsIn(search.log.broker, { ...range, fromOffset: wanted, toOffset: wanted + 1 })) {
    if (record.offset === wanted) return ofEvent(search, seenEvent(at, record))
  }
  return undefined
}

async function byUuid(search: Search, id: Uuid): Promise<Found | undefined> {
  const graph = await flowOrNothing(search.source, id)
  if (graph !== undefined) return { graph, others: [] }
  const [flowId, ...others] = await search.source.flowsOfEvent(id)
  if (flowId !== undefined) {
    const found = await flowOrNothing(search.source, flowId)
    if (found !== undefined) return { graph: found, eventId: id, others }
  }
  const seen = await scan(search.log, (record, at) => idOf(record, at) === id)
  return seen === undefined ? undefined : ofEvent(search, seen)
}

async function byKey(search: Search, key: string): Promise<Found | undefined> {
  const { flows } = await search.source.search({ key, limit: MOST_FLOWS })
  const chosen = flows.find(({ status }) => status !== 'completed') ?? flows[0]
  if (chosen !== undefined) {
    const graph = await flowOrNothing(search.source, chosen.flowId)
    const others = flows.map(({ flowId }) => flowId).filter((flowId) => flowId !== chosen.flowId)
    if (graph !== undefined) return { graph, others }
  }
  const seen = await scan(search.log, (record) => record.key?.toString('utf8') === key)
  return seen === undefined ? undefined : ofEvent(search, seen)
}

/** The flow of an event that was met on its topic. */
async function ofEvent(search: Search, seen: SeenEvent): Promise<Found> {
  const { id, flowId } = seen.envelope
  const graph = (await flowOrNothing(search.source, flowId)) ?? (await graphOfEvent(search.source, seen))
  return { graph, others: [], ...(id === flowId ? {} : { eventId: id }) }
}

/** The graph of an event that nobody has told of. */
export async function graphOfEvent(source: FlowSource, seen: SeenEvent): Promise<FlowGraph> {
  const manifests = await source.manifests()
  return reconstructFlow({ flowId: seen.envelope.flowId, facts: [], events: [seen], manifests })
}

async function flowOrNothing(source: FlowSource, flowId: Uuid): Promise<FlowGraph | undefined> {
  try {
    return await source.flow(flowId, { fromLog: true })
  } catch (error) {
    if (isLabanError(error) && error.code === 'LABAN_FLOW_NOT_FOUND') return undefined
    throw error
  }
}

/** The first record on any topic of events that fits. */
async function scan(
  log: LogSource,
  fits: (record: BrokerRecord, at: TopicPartition) => boolean,
): Promise<SeenEvent | undefined> {
  for (const { name } of eventTopics(log)) {
    for (const range of await rangesOf(log.broker, name)) {
      for await (const record of recordsIn(log.broker, range)) if (fits(record, range)) return seenEvent(range, record)
    }
  }
  return undefined
}

function idOf(record: BrokerRecord, { topic, partition }: TopicPartition): Uuid {
  const id = headerText(record.headers, 'ce_id')
  return id !== undefined && isUuid(id) ? id : foreignEventId(topic, partition, record.offset)
}
