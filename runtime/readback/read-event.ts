/** Reads one event by its place in the log, with its value: facts and graphs only point there. What the log has forgotten comes from the archive. */
import { decodeEnvelope, headerText, type Envelope } from '../../contracts/envelope.ts'
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { LogPosition } from '../../tracing/flow-graph.ts'
import type { BrokerRecord } from '../ports/broker.ts'
import { rangesOf, recordsIn, type LogSource } from './platform-records.ts'

/** One record as it lies on the log. */
export interface EventRecord {
  readonly position: LogPosition
  /** Where it was found: the archive is asked when the log has forgotten it. */
  readonly from: 'log' | 'archive'
  readonly envelope: Envelope
  readonly key: string | null
  readonly recordedAtMs: number
  /** Key, value; headers not counted. */
  readonly sizeBytes: number
  readonly headers: Readonly<Record<string, string>>
  /** The value by its contract, or why it cannot be read and the bytes as they are. */
  readonly body: { readonly value: unknown } | { readonly error: LabanError; readonly bytes: Buffer }
}

/** One event. @throws LABAN_RECORD_GONE, LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE, LABAN_LEDGER_UNAVAILABLE */
export async function readEvent(source: Omit<LogSource, 'contracts'>, position: LogPosition): Promise<EventRecord> {
  const { topic, partition, offset } = position
  const range = (await rangesOf(source.broker, topic)).find((each) => each.partition === partition)
  if (range !== undefined && offset >= range.fromOffset && offset < range.toOffset) {
    for await (const record of recordsIn(source.broker, { ...range, fromOffset: offset, toOffset: offset + 1 })) {
      if (record.offset === offset) return eventRecord(source, { position, from: 'log' }, record)
    }
  }
  const [archived] = (await source.archive?.records([position])) ?? []
  if (archived !== undefined) return eventRecord(source, { position, from: 'archive' }, archived)
  throw new LabanError('LABAN_RECORD_GONE', { place: `${topic}/${partition}@${offset}` })
}

async function eventRecord(
  source: Omit<LogSource, 'contracts'>,
  { position, from }: Pick<EventRecord, 'position' | 'from'>,
  record: BrokerRecord,
): Promise<EventRecord> {
  const { key, value, headers, timestampMs } = record
  const names = Object.keys(headers).map((name) => [name, headerText(headers, name) ?? ''] as const)
  return {
    position,
    from,
    envelope: decodeEnvelope(headers, { ...position, timestampMs }),
    key: key?.toString('utf8') ?? null,
    recordedAtMs: timestampMs,
    sizeBytes: (key?.length ?? 0) + (value?.length ?? 0),
    headers: Object.fromEntries(names),
    body: await decodeBody(source, position, value),
  }
}

async function decodeBody(
  { codec }: Omit<LogSource, 'contracts'>,
  position: LogPosition,
  value: Buffer | null,
): Promise<EventRecord['body']> {
  try {
    for (;;) {
      const decoded = codec.decode(position.topic, value, position)
      if ('value' in decoded) return { value: decoded.value }
      await codec.load(decoded.loadSchemaId)
    }
  } catch (error) {
    // A registry that does not answer passes; a value that cannot be read stays so.
    if (!isLabanError(error) || error.errorClass === 'retry') throw error
    return { error, bytes: value ?? Buffer.alloc(0) }
  }
}
