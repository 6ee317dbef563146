/**
 * Record batches (format 2, uncompressed) written into one buffer of the right size: first all sizes, then all bytes. Equal, byte
 * for byte, to what kafkajs writes with several buffers for each record and header.
 * @source https://kafka.apache.org/documentation/#recordbatch
 */
import { HeaderBlock } from '../../../../contracts/header-block.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../../../../contracts/varint.ts'
import type { NamedHeaders } from '../../../ports/broker.ts'
import type { ProducedMessage } from '../produced.ts'
import { crc32c } from './crc32c.ts'

/** Who writes a batch, and the sequence number of its first record. */
export interface BatchIdentity {
  readonly producerId: string
  readonly producerEpoch: number
  readonly firstSequence: number
}

const HEADER_BYTES = 61
const LENGTH_COVERS_FROM = 12
const CRC_AT = 17
const CRC_COVERS_FROM = 21
const MAGIC = 2

type HeaderValue = string | Buffer | readonly (string | Buffer)[]

/** A batch with base offset 0, as a producer sends it. */
export function encodeBatch(messages: readonly ProducedMessage[], identity: BatchIdentity): Buffer {
  let firstTimestamp = Infinity
  let maxTimestamp = 0
  for (const { timestamp } of messages) {
    if (timestamp < firstTimestamp) firstTimestamp = timestamp
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
  }
  const sizes = new Array<number>(messages.length)
  let total = HEADER_BYTES
  for (const [index, message] of messages.entries()) {
    const size = bodySize(message, index, firstTimestamp)
    sizes[index] = size
    total += sizeOfVarint(size) + size
  }
  const buffer = Buffer.allocUnsafe(total)
  const writer = new RecordWriter(buffer, HEADER_BYTES, firstTimestamp)
  for (const [index, message] of messages.entries()) writer.write(message, index, sizes[index] ?? 0)
  writeHeader(buffer, messages.length, { firstTimestamp, maxTimestamp }, identity)
  return buffer
}

function writeHeader(
  buffer: Buffer,
  records: number,
  { firstTimestamp, maxTimestamp }: { firstTimestamp: number; maxTimestamp: number },
  { producerId, producerEpoch, firstSequence }: BatchIdentity,
): void {
  let at = buffer.writeBigInt64BE(0n, 0)
  at = buffer.writeInt32BE(buffer.length - LENGTH_COVERS_FROM, at)
  at = buffer.writeInt32BE(0, at)
  buffer.writeInt8(MAGIC, at)
  at = buffer.writeInt16BE(0, CRC_COVERS_FROM)
  at = buffer.writeInt32BE(records - 1, at)
  at = buffer.writeBigInt64BE(BigInt(firstTimestamp), at)
  at = buffer.writeBigInt64BE(BigInt(maxTimestamp), at)
  at = buffer.writeBigInt64BE(BigInt(producerId), at)
  at = buffer.writeInt16BE(producerEpoch, at)
  at = buffer.writeInt32BE(firstSequence, at)
  buffer.writeInt32BE(records, at)
  buffer.writeUInt32BE(crc32c(buffer, CRC_COVERS_FROM), CRC_AT)
}

function bodySize({ key, value, headers, timestamp }: ProducedMessage, index: number, firstTimestamp: number): number {
  let size = 1 + sizeOfVarlong(timestamp - firstTimestamp) + sizeOfVarint(index) + sizeOfBytes(key) + sizeOfBytes(value)
  if (headers instanceof HeaderBlock) return size + headers.bytes.length
  let count = 0
  for (const name in headers) {
    const header = headers[name] as HeaderValue
    if (typeof header === 'string' || Buffer.isBuffer(header)) {
      size += sizeOfBytes(name) + sizeOfBytes(header)
      count += 1
    } else {
      for (const one of header) size += sizeOfBytes(name) + sizeOfBytes(one)
      count += header.length
    }
  }
  return size + sizeOfVarint(count)
}

class RecordWriter {
  readonly #buffer: Buffer
  readonly #firstTimestamp: number
  #at: number

  constructor(buffer: Buffer, at: number, firstTimestamp: number) {
    this.#buffer = buffer
    this.#at = at
    this.#firstTimestamp = firstTimestamp
  }

  write({ key, value, headers, timestamp }: ProducedMessage, index: number, size: number): void {
    this.#varint(size)
    this.#buffer[this.#at] = 0
    this.#at = writeVarlong(this.#buffer, this.#at + 1, timestamp - this.#firstTimestamp)
    this.#varint(index)
    this.#bytes(key)
    this.#bytes(value)
    if (headers instanceof HeaderBlock) {
      this.#buffer.set(headers.bytes, this.#at)
      this.#at += headers.bytes.length
      return
    }
    this.#varint(countOf(headers))
    for (const name in headers) {
      const header = headers[name] as HeaderValue
      if (typeof header === 'string' || Buffer.isBuffer(header)) this.#header(name, header)
      else for (const one of header) this.#header(name, one)
    }
  }

  #header(name: string, value: string | Buffer): void {
    this.#bytes(name)
    this.#bytes(value)
  }

  #bytes(value: string | Buffer | null): void {
    if (value === null) return this.#varint(-1)
    const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length
    this.#varint(length)
    if (typeof value === 'string') this.#buffer.write(value, this.#at, length, 'utf8')
    else this.#buffer.set(value, this.#at)
    this.#at += length
  }

  #varint(value: number): void {
    this.#at = writeVarint(this.#buffer, this.#at, value)
  }
}

function countOf(headers: NamedHeaders): number {
  let count = 0
  for (const name in headers) {
    const header = headers[name] as HeaderValue
    count += typeof header === 'string' || Buffer.isBuffer(header) ? 1 : header.length
  }
  return count
}

function sizeOfBytes(value: string | Buffer | null): number {
  if (value === null) return 1
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  return sizeOfVarint(length) + length
}
