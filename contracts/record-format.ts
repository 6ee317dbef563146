/**
 * Records in one buffer: how outputs stand in `computed` and in the journal, and how join members are kept.
 * Version byte, then per record: topic, key, value, headers, each with a varint length (0 = null, else length + 1).
 */
import { LabanError } from './errors.ts'

export const RECORD_FORMAT_VERSION = 1

/** A record without a place in the log. */
export interface StoredRecord {
  readonly topic: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string | Buffer>>
}

/** The records as bytes; an empty list is the version byte alone. */
export function encodeRecords(records: readonly StoredRecord[]): Buffer {
  const parts: Buffer[] = [Buffer.from([RECORD_FORMAT_VERSION])]
  for (const record of records) {
    const headers = Object.entries(record.headers)
    appendBytes(parts, Buffer.from(record.topic))
    appendBytes(parts, record.key)
    appendBytes(parts, record.value)
    parts.push(varint(headers.length))
    for (const [name, value] of headers) {
      appendBytes(parts, Buffer.from(name))
      appendBytes(parts, typeof value === 'string' ? Buffer.from(value) : value)
    }
  }
  return Buffer.concat(parts)
}

/** Reads them back. @throws LABAN_FORMAT_TOO_NEW for a newer version, LABAN_INVARIANT for bytes that are cut or not this format */
export function decodeRecords(bytes: Buffer): StoredRecord[] {
  const version = bytes[0]
  if (version === undefined || version === 0)
    throw new LabanError('LABAN_INVARIANT', { problem: 'stored records without a format version' })
  if (version > RECORD_FORMAT_VERSION) {
    throw new LabanError('LABAN_FORMAT_TOO_NEW', {
      what: 'stored records',
      found: version,
      known: RECORD_FORMAT_VERSION,
    })
  }
  const cursor = new Cursor(bytes, 1)
  const records: StoredRecord[] = []
  while (!cursor.isAtEnd) records.push(readRecord(cursor))
  return records
}

function readRecord(cursor: Cursor): StoredRecord {
  const topic = cursor.text()
  const key = cursor.bytes()
  const value = cursor.bytes()
  const headers: Record<string, Buffer> = {}
  for (let left = cursor.varint(); left > 0; left--) {
    const name = cursor.text()
    headers[name] = cursor.bytes() ?? Buffer.alloc(0)
  }
  return { topic, key, value, headers }
}

class Cursor {
  readonly #bytes: Buffer
  #position: number

  constructor(bytes: Buffer, position: number) {
    this.#bytes = bytes
    this.#position = position
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.#bytes[this.#position++]
      if (byte === undefined) throw new LabanError('LABAN_INVARIANT', { problem: 'stored records are cut short' })
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
  }

  bytes(): Buffer | null {
    const length = this.varint()
    if (length === 0) return null
    const end = this.#position + length - 1
    if (end > this.#bytes.length) throw new LabanError('LABAN_INVARIANT', { problem: 'stored records are cut short' })
    const slice = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return slice
  }

  text(): string {
    return this.bytes()?.toString('utf8') ?? ''
  }
}

function appendBytes(parts: Buffer[], bytes: Buffer | null): void {
  parts.push(varint(bytes === null ? 0 : bytes.length + 1))
  if (bytes !== null && bytes.length > 0) parts.push(bytes)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
