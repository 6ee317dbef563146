/** One registered record on its way through the stages, and the lane that keeps its key in order. */
import { decodeEnvelope, type Envelope, type ReceivedHeaders } from '../../contracts/envelope.ts'
import type { BrokerRecord, TopicPartition } from '../ports/broker.ts'
import { Cancellation } from '../ports/cancellation.ts'

/** The hold on a partition that a task was registered in. */
export interface TaskHome extends TopicPartition {
  /** Lost: its tasks finish nothing any more. */
  readonly dropped: boolean
  /** The input is finished: its offset may be committed once all below it are. */
  finish(task: Task): void
}

/** A record taken over from the broker. Value and headers are copies: a slice would pin the whole fetch buffer for minutes. */
export class Task {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly value: Buffer | null
  readonly headers: ReceivedHeaders
  readonly envelope: Envelope
  /** The key byte by byte as characters: names its lane. */
  readonly laneKey: string | null
  /** The key as text where it is not the flow id. */
  readonly keyText: string | null
  readonly bytes: number
  /** The partition state it was registered in; a task of a dropped state finishes nothing. */
  readonly home: TaskHome
  /** Cancelled when the partition was revoked with `abort`, the lease was lost, or the process shuts down. */
  readonly cancellation = new Cancellation()

  constructor(home: TaskHome, record: BrokerRecord) {
    this.home = home
    this.topic = home.topic
    this.partition = home.partition
    this.offset = record.offset
    this.timestampMs = record.timestampMs
    this.value = record.value === null ? null : Buffer.from(record.value)
    this.headers = copyHeaders(record.headers)
    this.envelope = decodeEnvelope(record.headers, this)
    this.laneKey = record.key === null ? null : record.key.toString('latin1')
    // The same characters in Latin-1 are the same text, as far as ids go.
    this.keyText = record.key === null || this.laneKey === this.envelope.flowId ? null : record.key.toString('utf8')
    this.bytes = openBytesOf(record)
  }

  /** The key's bytes, made anew: few ask for them. */
  get key(): Buffer | null {
    return this.laneKey === null ? null : Buffer.from(this.laneKey, 'latin1')
  }
}

/** What a task costs besides the bytes of its record: envelope, promises; measured with 10,000 waiting handlers. */
const RECORD_OVERHEAD_BYTES = 2_048

/** Bytes that a record holds from its registration until it is finished. */
export function openBytesOf({ key, value, headers }: BrokerRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) {
    const header = headers[name]
    if (Array.isArray(header)) for (const one of header as readonly (Buffer | string)[]) bytes += one.length
    else bytes += (header as Buffer | string | undefined)?.length ?? 0
  }
  return bytes
}

/** Texts are nobody's slices; only bytes have to be copied, and few records have any among their headers. */
function copyHeaders(headers: ReceivedHeaders): ReceivedHeaders {
  for (const name in headers) if (typeof headers[name] !== 'string') return copyBytes(headers)
  return headers
}

function copyBytes(headers: ReceivedHeaders): ReceivedHeaders {
  const copy: Record<string, ReceivedHeaders[string]> = {}
  for (const name in headers) {
    const header = headers[name]
    copy[name] = Array.isArray(header)
      ? (header as readonly (Buffer | string)[]).map(copyOne)
      : copyOne(header as Buffer | string | undefined)
  }
  return copy
}

function copyOne<T extends Buffer | string | undefined>(header: T): T {
  return (Buffer.isBuffer(header) ? Buffer.from(header) : header) as T
}

/** Tasks of one key in offset order; at most one of them runs. */
export interface Lane {
  readonly key: string
  readonly queue: Task[]
  running: boolean
}
