/**
 * Reads the values of events where facts point into the log. Facts carry no bodies, so a body that its topic has forgotten comes from
 * the archive, or is reported as expired; nothing that is wrong with one body keeps others from being read.
 */
import { describeUnknown, isLabanError } from '../../contracts/errors.ts'
import type { Uuid } from '../../contracts/ids.ts'
import { hasMarkedFields, maskValue } from '../../contracts/mask-value.ts'
import { positionText } from '../../tracing/event-drafts.ts'
import type { LogPosition } from '../../tracing/flow-graph.ts'
import { rangesOf, recordsIn, type LogSource, type PartitionRange } from './platform-records.ts'

/**
 * - `read`: decoded; `masked` when its contract marks fields as personal and they were hidden; `from` the log, or the archive when the
 * log has forgotten it. - `tombstone`: the record has no value. - `unreadable`: it breaks its contract, or has none.
 * - `expired`: its topic begins after it, or compaction has removed it, and no archive has it.
 * - `nowhere`: nobody knows its place, because it was claimed but never met.
 */
export type EventBody =
  | { readonly state: 'read'; readonly value: unknown; readonly masked: boolean; readonly from: 'log' | 'archive' }
  | { readonly state: 'tombstone' }
  | { readonly state: 'expired'; readonly earliestOffset: number }
  | { readonly state: 'unreadable'; readonly problem: string }
  | { readonly state: 'nowhere' }

/** An event whose body is asked for. */
export interface BodyPointer {
  readonly id: Uuid
  readonly position: LogPosition | null
}

/**
 * Bodies by event id. `unmask` leaves personal fields readable; whether it may is the caller's to know.
 * @throws LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE, LABAN_LEDGER_UNAVAILABLE
 */
export async function readBodies(
  source: LogSource,
  events: readonly BodyPointer[],
  { unmask = false }: { readonly unmask?: boolean } = {},
): Promise<ReadonlyMap<Uuid, EventBody>> {
  const bodies = new Map<Uuid, EventBody>()
  const ranges = new Map<string, readonly PartitionRange[]>()
  const forgotten: { readonly id: Uuid; readonly position: LogPosition }[] = []
  for (const { id, position } of events) {
    if (position === null) {
      bodies.set(id, { state: 'nowhere' })
      continue
    }
    const known = ranges.get(position.topic) ?? (await rangesOf(source.broker, position.topic))
    ranges.set(position.topic, known)
    const range = known.find(({ partition }) => partition === position.partition)
    const body = await readBody(source, { position, range, unmask })
    bodies.set(id, body)
    if (body.state === 'expired') forgotten.push({ id, position })
  }
  for (const [id, body] of await readArchived(source, forgotten, unmask)) bodies.set(id, body)
  return bodies
}

/** Places asked for at once. */
const MAX_PLACES = 500

async function readArchived(
  source: LogSource,
  events: readonly { readonly id: Uuid; readonly position: LogPosition }[],
  unmask: boolean,
): Promise<ReadonlyMap<Uuid, EventBody>> {
  const bodies = new Map<Uuid, EventBody>()
  if (source.archive === undefined) return bodies
  for (let begin = 0; begin < events.length; begin += MAX_PLACES) {
    const asked = events.slice(begin, begin + MAX_PLACES)
    const records = await source.archive.records(asked.map(({ position }) => position))
    const byPlace = new Map(records.map((record) => [positionText(record), record]))
    for (const { id, position } of asked) {
      const record = byPlace.get(positionText(position))
      if (record !== undefined) bodies.set(id, await bodyOf(source, record, { unmask, from: 'archive' }))
    }
  }
  return bodies
}

interface Place {
  readonly position: LogPosition
  /** What the partition holds now; undefined when the topic is gone. */
  readonly range: PartitionRange | undefined
  readonly unmask: boolean
}

async function readBody(source: LogSource, { position, range, unmask }: Place): Promise<EventBody> {
  const { offset } = position
  const expired: EventBody = { state: 'expired', earliestOffset: range?.fromOffset ?? 0 }
  if (range === undefined || offset < range.fromOffset) return expired
  for await (const { offset: found, value } of recordsIn(source.broker, {
    ...range,
    fromOffset: offset,
    toOffset: offset + 1,
  })) {
    if (found === offset) return bodyOf(source, { ...position, value }, { unmask, from: 'log' })
  }
  return expired
}

async function bodyOf(
  { codec, contracts }: LogSource,
  { topic, partition, offset, value }: LogPosition & { readonly value: Buffer | null },
  { unmask, from }: { readonly unmask: boolean; readonly from: 'log' | 'archive' },
): Promise<EventBody> {
  if (value === null) return { state: 'tombstone' }
  try {
    for (;;) {
      const decoded = codec.decode(topic, value, { partition, offset })
      if ('value' in decoded) {
        const schema = contracts.topics.get(topic)?.schema
        const masked = !unmask && schema !== undefined && hasMarkedFields(schema)
        return { state: 'read', value: masked ? maskValue(schema, decoded.value) : decoded.value, masked, from }
      }
      await codec.load(decoded.loadSchemaId)
    }
  } catch (error) {
    if (isLabanError(error) && error.errorClass === 'retry') throw error
    return { state: 'unreadable', problem: describeUnknown(error) }
  }
}
