/**
 * Reads the values of events where facts point into the log. Facts carry no bodies, so a body that its topic has forgotten is
 * reported as expired; nothing that is wrong with one body keeps others from being read.
 */
import { describeUnknown, isLabanError } from '../../contracts/errors.ts'
import type { Uuid } from '../../contracts/ids.ts'
import { hasMarkedFields, maskValue } from '../../contracts/mask-value.ts'
import type { LogPosition } from '../../tracing/flow-graph.ts'
import { rangesOf, recordsIn, type LogSource, type PartitionRange } from './platform-records.ts'

/**
 * - `read`: decoded; `masked` when its contract marks fields as personal and they were hidden. - `tombstone`: the record has no value.
 * - `expired`: its topic begins after it, or compaction has removed it. - `unreadable`: it breaks its contract, or has none.
 * - `nowhere`: nobody knows its place, because it was claimed but never met.
 */
export type EventBody =
  | { readonly state: 'read'; readonly value: unknown; readonly masked: boolean }
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
 * @throws LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE
 */
export async function readBodies(
  source: LogSource,
  events: readonly BodyPointer[],
  { unmask = false }: { readonly unmask?: boolean } = {},
): Promise<ReadonlyMap<Uuid, EventBody>> {
  const bodies = new Map<Uuid, EventBody>()
  const ranges = new Map<string, readonly PartitionRange[]>()
  for (const { id, position } of events) {
    if (position === null) {
      bodies.set(id, { state: 'nowhere' })
      continue
    }
    const known = ranges.get(position.topic) ?? (await rangesOf(source.broker, position.topic))
    ranges.set(position.topic, known)
    const range = known.find(({ partition }) => partition === position.partition)
    bodies.set(id, await readBody(source, { position, range, unmask }))
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
  const { topic, partition, offset } = position
  const expired: EventBody = { state: 'expired', earliestOffset: range?.fromOffset ?? 0 }
  if (range === undefined || offset < range.fromOffset) return expired
  for await (const record of recordsIn(source.broker, { ...range, fromOffset: offset, toOffset: offset + 1 })) {
    if (record.offset !== offset) continue
    if (record.value === null) return { state: 'tombstone' }
    return decodeBody(source, { topic, partition, offset, value: record.value }, unmask)
  }
  return expired
}

async function decodeBody(
  { codec, contracts }: LogSource,
  { topic, value, ...where }: LogPosition & { readonly value: Buffer },
  unmask: boolean,
): Promise<EventBody> {
  try {
    for (;;) {
      const decoded = codec.decode(topic, value, where)
      if ('value' in decoded) {
        const schema = contracts.topics.get(topic)?.schema
        const masked = !unmask && schema !== undefined && hasMarkedFields(schema)
        return { state: 'read', value: masked ? maskValue(schema, decoded.value) : decoded.value, masked }
      }
      await codec.load(decoded.loadSchemaId)
    }
  } catch (error) {
    if (isLabanError(error) && error.errorClass === 'retry') throw error
    return { state: 'unreadable', problem: describeUnknown(error) }
  }
}
