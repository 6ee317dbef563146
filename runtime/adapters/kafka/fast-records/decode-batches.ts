/**
 * Record batches as messages, read in one pass over the fetched buffer: keys and values are slices of it, headers are strings
 * wherever a string says the same as their bytes. Offsets and times are numbers. A batch that ends in missing records, or holds none,
 * ends in a control record at its last offset, so that fetching steps over it.
 * @source https://kafka.apache.org/documentation/#recordbatch
 */
import { LabanError } from '../../../../contracts/errors.ts'
import type { DecodedMessage } from '../kafkajs-internals.ts'
import { HeaderTexts } from './header-texts.ts'

/** Decompresses the records of a batch; the codec is the number in its attributes. */
export type Decompress = (codec: number, bytes: Buffer) => Promise<Buffer>

const HEADER_BYTES = 61
const LENGTH_COVERS_FROM = 12
const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const MAGIC = 2

const names = new HeaderTexts()
const values = new HeaderTexts()

/** What kafkajs looks at to leave out aborted transactions. */
interface BatchContext extends Readonly<Record<string, unknown>> {
  readonly producerId: string
  readonly inTransaction: boolean
}

/** All whole batches in `buffer`; the last may be cut off, it comes again with the next fetch. */
export async function decodeBatches(buffer: Buffer, decompress: Decompress): Promise<DecodedMessage[]> {
  const messages: DecodedMessage[] = []
  for (let at = 0; at + HEADER_BYTES <= buffer.length;) {
    const end = at + LENGTH_COVERS_FROM + buffer.readInt32BE(at + 8)
    if (end > buffer.length) break
    if (end < at + HEADER_BYTES) throw broken('a batch is shorter than its header')
    if (buffer[at + 16] !== MAGIC) throw broken(`format ${buffer[at + 16]} is not known`)
    const codec = buffer.readInt16BE(at + 21) & CODEC_MASK
    const body = buffer.subarray(at + HEADER_BYTES, end)
    decodeBatch(buffer.subarray(at, end), codec === 0 ? body : await decompress(codec, body), messages)
    at = end
  }
  return messages
}

function decodeBatch(header: Buffer, records: Buffer, into: DecodedMessage[]): void {
  const baseOffset = readInt64(header, 0)
  const attributes = header.readInt16BE(21)
  const lastOffset = baseOffset + header.readInt32BE(23)
  const isControlRecord = (attributes & CONTROL) !== 0
  const batchContext: BatchContext = {
    producerId: header.readBigInt64BE(43).toString(),
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
  }
  const appendTime = (attributes & LOG_APPEND_TIME) === 0 ? undefined : readInt64(header, 35)
  const firstTimestamp = readInt64(header, 27)
  const cursor = new Cursor(records)
  let last = -1
  for (let left = header.readInt32BE(57); left > 0; left -= 1) {
    const next = cursor.varint() + cursor.at
    cursor.at += 1
    const timestampDelta = cursor.varlong()
    last = baseOffset + cursor.varint()
    const key = cursor.bytes()
    const value = cursor.bytes()
    const headers = cursor.headers()
    const timestampMs = appendTime ?? firstTimestamp + timestampDelta
    into.push({ offset: last, timestampMs, key, value, headers, isControlRecord, batchContext })
    if (next < cursor.at) throw broken('a record is shorter than its fields')
    cursor.at = next
  }
  if (last === lastOffset) return
  into.push({
    offset: lastOffset,
    timestampMs: 0,
    key: null,
    value: null,
    headers: {},
    isControlRecord: true,
    batchContext,
  })
}

/** Offsets and times stay below 2^53. */
function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4)
}

class Cursor {
  at = 0
  readonly #buffer: Buffer

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  varint(): number {
    const buffer = this.#buffer
    let byte = buffer[this.at++] ?? 0
    let folded = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw broken('a number is too long')
      byte = buffer[this.at++] ?? 0
      folded |= (byte & 0x7f) << shift
    }
    return (folded >>> 1) ^ -(folded & 1)
  }

  /** Exact up to 2^52; timestamps need no more. */
  varlong(): number {
    const buffer = this.#buffer
    let byte = buffer[this.at++] ?? 0
    let folded = byte & 0x7f
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      if (scale > 2 ** 63) throw broken('a number is too long')
      byte = buffer[this.at++] ?? 0
      folded += (byte & 0x7f) * scale
    }
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2
  }

  bytes(): Buffer | null {
    const length = this.varint()
    if (length < 0) return null
    return this.#slice(length)
  }

  headers(): DecodedMessage['headers'] {
    const headers: Record<string, string | Buffer | (string | Buffer)[]> = {}
    for (let left = this.varint(); left > 0; left -= 1) {
      const name = this.#name()
      const length = this.varint()
      // A header without a value says no more than one that is not there.
      if (length < 0) continue
      this.#check(length)
      const value = values.value(this.#buffer, this.at, length)
      this.at += length
      if (name === '__proto__') continue
      const before = Object.hasOwn(headers, name) ? headers[name] : undefined
      if (before === undefined) headers[name] = value
      else if (Array.isArray(before)) before.push(value)
      else headers[name] = [before, value]
    }
    return headers
  }

  #name(): string {
    const length = this.varint()
    this.#check(length)
    const name = names.name(this.#buffer, this.at, length)
    this.at += length
    return name
  }

  #slice(length: number): Buffer {
    this.#check(length)
    const from = this.at
    this.at += length
    return this.#buffer.subarray(from, this.at)
  }

  #check(length: number): void {
    if (length < 0 || this.at + length > this.#buffer.length) throw broken('a field is cut off')
  }
}

function broken(problem: string): LabanError {
  return new LabanError('LABAN_BROKER_REFUSED', { operation: 'reading', topic: 'a batch', problem })
}
