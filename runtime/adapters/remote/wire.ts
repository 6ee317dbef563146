/**
 * How a broker is spoken to over HTTP: `POST /broker/v1/<call>` with the arguments as a JSON array, answered by
 * `{answer}` or `{error}`; `read` answers lines of JSON. Both ends are laban; the version in the path says which shapes they use.
 */
import { HeaderBlock } from '../../../contracts/header-block.ts'
import type { BrokerAdmin, BrokerRecord, OutgoingRecord } from '../../ports/broker.ts'

/** Version of the shapes below; a server refuses a newer one. */
export const REMOTE_VERSION = 1
/** All paths of the broker begin so. */
export const REMOTE_PREFIX = '/broker/'

/** Calls with plain JSON arguments and answers, by name. */
export interface RemoteCalls extends BrokerAdmin {
  connect(): Promise<void>
  /** The key is base64. */
  partitionFor(topic: string, key: string): Promise<number>
}

/** Bytes as base64. */
type WireBytes = string | null

/** A record to append. */
export interface WireOutgoing {
  readonly topic: string
  readonly partition?: number
  readonly key: WireBytes
  readonly value: WireBytes
  readonly headers: Readonly<Record<string, WireHeader>>
}

/** A record as read. */
export interface WireRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: WireBytes
  readonly value: WireBytes
  readonly headers: Readonly<Record<string, WireHeader>>
}

type WireHeader = string | readonly string[]

/** One line of a `read`: a batch, or the end. A stream that breaks off without `end` was cut. */
export type WireLine =
  { readonly records: readonly WireRecord[] } | { readonly end: true } | { readonly error: unknown }

/** A record to append as it travels. */
export function encodeOutgoing(record: OutgoingRecord): WireOutgoing {
  const { topic, partition, key, value, headers } = record
  const place = partition === undefined ? { topic } : { topic, partition }
  return { ...place, key: encodeBytes(key), value: encodeBytes(value), headers: encodeHeaders(headers) }
}

/** The record to append that travelled. */
export function decodeOutgoing(record: WireOutgoing): OutgoingRecord {
  const { topic, partition, key, value, headers } = record
  const place = partition === undefined ? { topic } : { topic, partition }
  return { ...place, key: decodeBytes(key), value: decodeBytes(value), headers: decodeHeaders(headers) }
}

/** A read record as it travels. */
export function encodeRecord({ offset, timestampMs, key, value, headers }: BrokerRecord): WireRecord {
  return { offset, timestampMs, key: encodeBytes(key), value: encodeBytes(value), headers: encodeHeaders(headers) }
}

/** The read record that travelled. */
export function decodeRecord({ offset, timestampMs, key, value, headers }: WireRecord): BrokerRecord {
  return { offset, timestampMs, key: decodeBytes(key), value: decodeBytes(value), headers: decodeHeaders(headers) }
}

function encodeBytes(bytes: Buffer | string | null): WireBytes {
  return bytes === null ? null : encodeText(bytes)
}

function decodeBytes(bytes: WireBytes): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes, 'base64')
}

function encodeHeaders(headers: BrokerRecord['headers'] | HeaderBlock): Record<string, WireHeader> {
  const wire: Record<string, WireHeader> = {}
  const named: BrokerRecord['headers'] = headers instanceof HeaderBlock ? headers.toHeaders() : headers
  for (const [name, value] of Object.entries(named)) {
    if (value === undefined) continue
    wire[name] = Array.isArray(value)
      ? (value as readonly (Buffer | string)[]).map(encodeText)
      : encodeText(value as Buffer | string)
  }
  return wire
}

function decodeHeaders(wire: Readonly<Record<string, WireHeader>>): Record<string, Buffer | readonly Buffer[]> {
  const headers: Record<string, Buffer | readonly Buffer[]> = {}
  for (const [name, value] of Object.entries(wire)) {
    headers[name] =
      typeof value === 'string' ? Buffer.from(value, 'base64') : value.map((one) => Buffer.from(one, 'base64'))
  }
  return headers
}

/** Bytes, or the UTF-8 of a text, as base64. */
export function encodeText(bytes: Buffer | string): string {
  return Buffer.from(bytes as string).toString('base64')
}
