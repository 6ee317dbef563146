/**
 * Headers of a record in their final bytes: what a record carries through store and producer is written once and only copied
 * afterwards. The form is that of Kafka's records: their number, then name and value of each behind its length, all varints.
 * @source https://kafka.apache.org/documentation/#recordheader
 */
import type { ReceivedHeaders } from './envelope.ts'
import { LabanError } from './errors.ts'
import { readVarint, sizeOfVarint, writeVarint } from './varint.ts'

/** Header values by name, none repeated. */
export type SingleHeaders = Readonly<Record<string, string | Buffer>>

/** See the file's head. */
export class HeaderBlock {
  readonly bytes: Buffer

  /** Takes bytes that are in this form already; they are not copied. */
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  static of(headers: SingleHeaders): HeaderBlock {
    let count = 0
    let size = 0
    for (const name in headers) {
      count++
      size += sizeOfPart(name) + sizeOfPart(headers[name] ?? '')
    }
    const bytes = Buffer.allocUnsafe(sizeOfVarint(count) + size)
    let at = writeVarint(bytes, 0, count)
    for (const name in headers) at = writePart(bytes, writePart(bytes, at, name), headers[name] ?? '')
    return new HeaderBlock(bytes)
  }

  /** Headers as they were received, repeated ones included. */
  static ofReceived(headers: ReceivedHeaders): HeaderBlock {
    const pairs = Object.entries(headers).flatMap(([name, value]) =>
      (isRepeated(value) ? value : [value ?? '']).map((one) => [name, one] as const),
    )
    const size = pairs.reduce((sum, [name, value]) => sum + sizeOfPart(name) + sizeOfPart(value), 0)
    const bytes = Buffer.allocUnsafe(sizeOfVarint(pairs.length) + size)
    let at = writeVarint(bytes, 0, pairs.length)
    for (const [name, value] of pairs) at = writePart(bytes, writePart(bytes, at, name), value)
    return new HeaderBlock(bytes)
  }

  /** The headers by name, of repeated ones the last; values are slices of the block. @throws LABAN_INVARIANT for bytes that are cut or not this form */
  toHeaders(): Record<string, Buffer> {
    return Object.fromEntries(this.#pairs())
  }

  /** The headers as they were received. @throws as `toHeaders` */
  toReceived(): Record<string, Buffer | readonly Buffer[]> {
    const byName = new Map<string, Buffer[]>()
    for (const [name, value] of this.#pairs()) byName.set(name, [...(byName.get(name) ?? []), value])
    return Object.fromEntries([...byName].map(([name, values]) => [name, values.length > 1 ? values : single(values)]))
  }

  #pairs(): readonly (readonly [name: string, value: Buffer])[] {
    const pairs: [string, Buffer][] = []
    const count = readLength(this.bytes, 0)
    let at = count.next
    for (let left = count.value; left > 0; left--) {
      const name = readPart(this.bytes, at)
      const value = readPart(this.bytes, name.next)
      pairs.push([name.part.toString('utf8'), value.part])
      at = value.next
    }
    if (at !== this.bytes.length) throw broken()
    return pairs
  }
}

function isRepeated<T extends Buffer | string>(value: T | readonly T[] | undefined): value is readonly T[] {
  return Array.isArray(value)
}

function single([value = Buffer.alloc(0)]: readonly Buffer[]): Buffer {
  return value
}

function sizeOfPart(part: string | Buffer): number {
  const length = typeof part === 'string' ? Buffer.byteLength(part) : part.length
  return sizeOfVarint(length) + length
}

/** Name or value behind its length; returns the offset behind it. */
export function writePart(buffer: Buffer, at: number, part: string | Buffer): number {
  if (typeof part !== 'string') {
    const next = writeVarint(buffer, at, part.length)
    buffer.set(part, next)
    return next + part.length
  }
  const next = writeVarint(buffer, at, Buffer.byteLength(part))
  return next + buffer.write(part, next)
}

function readPart(bytes: Buffer, at: number): { readonly part: Buffer; readonly next: number } {
  const { value: length, next } = readLength(bytes, at)
  if (next + length > bytes.length) throw broken()
  return { part: bytes.subarray(next, next + length), next: next + length }
}

function readLength(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  const length = readVarint(bytes, at)
  if (length === undefined || length.value < 0) throw broken()
  return length
}

function broken(): LabanError {
  return new LabanError('LABAN_INVARIANT', { problem: 'stored headers are cut short or none of ours' })
}
