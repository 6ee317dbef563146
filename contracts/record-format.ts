/**
 * Records in one buffer: how outputs stand in `computed` and in the journal, and how join members are kept.
 * Version byte, then per record: topic, key, value, header block, each with a varint length (0 = null, else length + 1).
 * Version 1, which is still read, had the headers one by one: their number, then name and value of each.
 */
import { LabanError } from './errors.ts'
import { HeaderBlock, type SingleHeaders } from './header-block.ts'

export const RECORD_FORMAT_VERSION = 2

/** A record without a place in the log. */
export interface StoredRecord {
  readonly topic: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: SingleHeaders
}

/** A record to be stored, its headers in their final bytes or by name. */
export interface RecordToStore extends Omit<StoredRecord, 'key' | 'headers'> {
  readonly key: Buffer | string | null
  readonly headers: SingleHeaders | HeaderBlock
}

/** The records as bytes; an empty list is the version byte alone. Sized first, so that it is written into one buffer. */
export function encodeRecords(records: readonly RecordToStore[]): Buffer {
  let size = 1
  const blocks: Buffer[] = []
  for (const { topic, key, value, headers } of records) {
    const block = headers instanceof HeaderBlock ? headers.bytes : HeaderBlock.of(headers).bytes
    blocks.push(block)
    size += partSize(topic) + partSize(key) + partSize(value) + partSize(block)
  }
  const writer = new Writer(Buffer.allocUnsafe(size))
  writer.byte(RECORD_FORMAT_VERSION)
  for (const [index, { topic, key, value }] of records.entries()) {
    writer.bytes(topic)
    writer.bytes(key)
    writer.bytes(value)
    writer.bytes(blocks[index] ?? null)
  }
  return writer.target
}

function partSize(part: Buffer | string | null): number {
  if (part === null) return 1
  const length = lengthOf(part)
  return varintSize(length + 1) + length
}

function lengthOf(part: Buffer | string): number {
  return typeof part === 'string' ? Buffer.byteLength(part) : part.length
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes into a buffer of the right size. */
class Writer {
  readonly target: Buffer
  #position = 0

  constructor(target: Buffer) {
    this.target = target
  }

  byte(value: number): void {
    this.target[this.#position++] = value
  }

  varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.byte((rest % 128) | 0x80)
      rest = Math.floor(rest / 128)
    }
    this.byte(rest)
  }

  bytes(part: Buffer | string | null): void {
    if (part === null) return this.byte(0)
    this.varint(lengthOf(part) + 1)
    this.#position +=
      typeof part === 'string' ? this.target.write(part, this.#position) : part.copy(this.target, this.#position)
  }
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
  while (!cursor.isAtEnd) {
    const topic = cursor.text()
    const key = cursor.bytes()
    const value = cursor.bytes()
    records.push({ topic, key, value, headers: version === 1 ? readHeadersV1(cursor) : readHeaders(cursor) })
  }
  return records
}

function readHeaders(cursor: Cursor): SingleHeaders {
  const block = cursor.bytes()
  if (block === null) throw new LabanError('LABAN_INVARIANT', { problem: 'stored records are cut short' })
  return new HeaderBlock(block).toHeaders()
}

function readHeadersV1(cursor: Cursor): SingleHeaders {
  const headers: Record<string, Buffer> = {}
  for (let left = cursor.varint(); left > 0; left--) {
    const name = cursor.text()
    headers[name] = cursor.bytes() ?? Buffer.alloc(0)
  }
  return headers
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
