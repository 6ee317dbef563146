/** The headers of an event: CloudEvents in Kafka binary mode plus what a choreography needs. Read and written without decoding the value. */
import { foreignEventId, isUuid, type Uuid } from './ids.ts'

/** Everything about an event except its key and value. */
export interface Envelope {
  readonly id: Uuid
  /** Topic name without namespace: the event's type. */
  readonly type: string
  /** The agent or publisher that said it. */
  readonly source: string
  /** When it was said, RFC 3339. */
  readonly time: string
  /** Correlation id: the flow this event belongs to. A first event's flow id is its own id. */
  readonly flowId: Uuid
  /** Events that caused this one; empty for a first event, several for a join. */
  readonly causes: readonly Uuid[]
  /** 0 for a first event, else 1 + the largest hop of the causes. */
  readonly hop: number
  /** W3C trace context, forwarded as it is. */
  readonly traceparent?: string
  readonly tracestate?: string
  readonly baggage?: string
  readonly agentVersion?: string
  /** Covers key, value and ce_* headers; see `contentHash`. */
  readonly contentHash?: string
  /** Epoch milliseconds after which nobody should start to handle it. */
  readonly deadlineAtMs?: number
  /** Id of the event this one replaces after an edit; effect keys derive from it. */
  readonly originId?: Uuid
  /** True when the record came without laban headers and the identity was derived from its position. */
  readonly foreign?: boolean
}

/**
 * An envelope to write. Without `time` the record's timestamp stands for it: what may be published again under the same id must not
 * say another time then, because the ce_* headers are content.
 */
export type SentEnvelope = Omit<Envelope, 'time'> & { readonly time?: string }

/** Header values as they arrive: a repeated header is an array; the last value counts. */
export type ReceivedHeaders = Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>

export const CONTENT_TYPE = 'application/avro'
export const SPEC_VERSION = '1.0'

/** The headers of a record that carries this envelope, in a fixed order. */
export function encodeEnvelope(envelope: SentEnvelope): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': CONTENT_TYPE,
    ce_specversion: SPEC_VERSION,
    ce_id: envelope.id,
    ce_source: envelope.source,
    ce_type: envelope.type,
    ce_correlationid: envelope.flowId,
    'laban-hop': String(envelope.hop),
  }
  if (envelope.time !== undefined) headers['ce_time'] = envelope.time
  if (envelope.causes.length > 0) headers['ce_causationid'] = envelope.causes.join(',')
  if (envelope.traceparent !== undefined) headers['traceparent'] = envelope.traceparent
  if (envelope.tracestate !== undefined) headers['tracestate'] = envelope.tracestate
  if (envelope.baggage !== undefined) headers['baggage'] = envelope.baggage
  if (envelope.agentVersion !== undefined) headers['laban-agent-version'] = envelope.agentVersion
  if (envelope.contentHash !== undefined) headers['laban-content-hash'] = envelope.contentHash
  if (envelope.deadlineAtMs !== undefined) headers['laban-deadline'] = String(envelope.deadlineAtMs)
  if (envelope.originId !== undefined) headers['laban-origin-id'] = envelope.originId
  return headers
}

/** Where a record lies and when it was appended: what the identity of a foreign event derives from. */
export interface RecordPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
}

/**
 * Reads the envelope of a record. A record without valid laban headers (somebody else's producer) starts a flow of its own:
 * its id derives from topic, partition and offset.
 */
export function decodeEnvelope(headers: ReceivedHeaders, position: RecordPosition): Envelope {
  const id = textOf(headers['ce_id'])
  const flowId = textOf(headers['ce_correlationid'])
  const hop = Number(textOf(headers['laban-hop']) ?? 'NaN')
  if (id === undefined || flowId === undefined || !isUuid(id) || !isUuid(flowId) || !Number.isInteger(hop) || hop < 0) {
    return foreignEnvelope(headers, position)
  }
  return withOptional(headers, {
    id,
    type: textOf(headers['ce_type']) ?? position.topic,
    source: textOf(headers['ce_source']) ?? 'unknown',
    time: textOf(headers['ce_time']) ?? isoTime(position.timestampMs),
    flowId,
    causes: readCauses(textOf(headers['ce_causationid'])),
    hop,
  })
}

function readCauses(text: string | undefined): readonly Uuid[] {
  if (text === undefined || text === '') return []
  return text.split(',').filter(isUuid)
}

/** The last value of a header as text. */
export function headerText(headers: ReceivedHeaders, name: string): string | undefined {
  return textOf(headers[name])
}

function textOf(header: ReceivedHeaders[string] | null): string | undefined {
  if (typeof header === 'string') return header
  if (header === undefined || header === null) return undefined
  if (Buffer.isBuffer(header)) return header.toString('utf8')
  return textOf((header as readonly (Buffer | string)[]).at(-1))
}

function foreignEnvelope(headers: ReceivedHeaders, position: RecordPosition): Envelope {
  const id = foreignEventId(position.topic, position.partition, position.offset)
  return withOptional(headers, {
    id,
    type: position.topic,
    source: textOf(headers['ce_source']) ?? 'foreign',
    time: isoTime(position.timestampMs),
    flowId: id,
    causes: [],
    hop: 0,
    foreign: true,
  })
}

/** Producers may write any number as a timestamp; what no calendar can show counts as unknown. */
function isoTime(timestampMs: number): string {
  const date = new Date(timestampMs)
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}

/** Adds what not every event has. */
function withOptional(headers: ReceivedHeaders, envelope: { -readonly [K in keyof Envelope]: Envelope[K] }): Envelope {
  const traceparent = textOf(headers['traceparent'])
  if (traceparent !== undefined) envelope.traceparent = traceparent
  const tracestate = textOf(headers['tracestate'])
  if (tracestate !== undefined) envelope.tracestate = tracestate
  const baggage = textOf(headers['baggage'])
  if (baggage !== undefined) envelope.baggage = baggage
  const agentVersion = textOf(headers['laban-agent-version'])
  if (agentVersion !== undefined) envelope.agentVersion = agentVersion
  const contentHash = textOf(headers['laban-content-hash'])
  if (contentHash !== undefined) envelope.contentHash = contentHash
  const deadline = textOf(headers['laban-deadline'])
  if (deadline !== undefined && Number.isFinite(Number(deadline))) envelope.deadlineAtMs = Number(deadline)
  const originId = textOf(headers['laban-origin-id'])
  if (originId !== undefined && isUuid(originId)) envelope.originId = originId
  return envelope
}
