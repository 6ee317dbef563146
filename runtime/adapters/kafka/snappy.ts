/**
 * Decompression of Snappy, bare or in the chunks that Java's clients write. Bytes that are not Snappy end in an error, never in
 * a read or write outside of the buffers.
 * @source https://github.com/google/snappy/blob/main/format_description.txt
 */
import { LabanError } from '../../../contracts/errors.ts'

const CHUNKED = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
/** The magic bytes, a version and the oldest version that can read it. */
const CHUNKED_HEADER_BYTES = 16
/** More than any broker takes as one batch: a longer one is garbage. */
const MAX_OUTPUT_BYTES = 256 * 1_048_576

/** Decompresses the records of one batch. @throws LABAN_BROKER_REFUSED when the bytes are not Snappy */
export function decompressSnappy(input: Buffer): Buffer {
  if (!input.subarray(0, CHUNKED.length).equals(CHUNKED)) return decompressBlock(input)
  const blocks: Buffer[] = []
  for (let at = CHUNKED_HEADER_BYTES; at + 4 <= input.length;) {
    const length = input.readUInt32BE(at)
    if (at + 4 + length > input.length) throw broken('a chunk is cut off')
    blocks.push(decompressBlock(input.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

function decompressBlock(input: Buffer): Buffer {
  const header = readLength(input)
  const output = Buffer.allocUnsafe(header.length)
  let from = header.next
  let to = 0
  while (from < input.length) {
    const tag = input[from] ?? 0
    const element = (tag & 3) === 0 ? literal(input, from, tag) : copy(input, from, tag)
    if (to + element.length > output.length) throw broken('it is longer than it says')
    from = element.next
    if (element.offset === 0) {
      if (from + element.length > input.length) throw broken('a literal is cut off')
      input.copy(output, to, from, from + element.length)
      from += element.length
    } else {
      repeat(output, to, element.offset, element.length)
    }
    to += element.length
  }
  if (to !== output.length) throw broken('it is shorter than it says')
  return output
}

interface Element {
  readonly length: number
  /** Distance to what is repeated; 0 for bytes that follow in the input. */
  readonly offset: number
  readonly next: number
}

function literal(input: Buffer, at: number, tag: number): Element {
  const short = tag >> 2
  if (short < 60) return { length: short + 1, offset: 0, next: at + 1 }
  const lengthBytes = short - 59
  if (at + 1 + lengthBytes > input.length) throw broken('a length is cut off')
  return { length: input.readUIntLE(at + 1, lengthBytes) + 1, offset: 0, next: at + 1 + lengthBytes }
}

function copy(input: Buffer, at: number, tag: number): Element {
  const offsetBytes = [0, 1, 2, 4][tag & 3] ?? 1
  if (at + 1 + offsetBytes > input.length) throw broken('a copy is cut off')
  const low = input.readUIntLE(at + 1, offsetBytes)
  const isShort = (tag & 3) === 1
  const offset = isShort ? ((tag >> 5) << 8) | low : low
  if (offset === 0) throw broken('a copy of nothing')
  return { length: isShort ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1, offset, next: at + 1 + offsetBytes }
}

/** Byte by byte where source and target overlap: what was just written is repeated. */
function repeat(output: Buffer, to: number, offset: number, length: number): void {
  const from = to - offset
  if (from < 0) throw broken('a copy from before the beginning')
  if (offset >= length) output.copyWithin(to, from, from + length)
  else for (let index = 0; index < length; index += 1) output[to + index] = output[from + index] ?? 0
}

function readLength(input: Buffer): { length: number; next: number } {
  let length = 0
  for (let at = 0; at < 5 && at < input.length; at += 1) {
    const byte = input[at] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) {
      if (length > MAX_OUTPUT_BYTES) break
      return { length, next: at + 1 }
    }
  }
  throw broken('no length')
}

function broken(problem: string): LabanError {
  return new LabanError('LABAN_BROKER_REFUSED', {
    operation: 'decompressing',
    topic: 'a batch',
    problem: `snappy: ${problem}`,
  })
}
