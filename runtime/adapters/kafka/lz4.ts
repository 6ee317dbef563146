/**
 * Decompression of LZ4 frames. Checksums are not looked at: the record batch has its own. Bytes that are not LZ4 end in an error,
 * never in a read or write outside of the buffers.
 * @source https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
import { LabanError } from '../../../contracts/errors.ts'

const MAGIC = 0x184d2204
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_CONTENT_SIZE = 0x08
const FLAG_DICTIONARY = 0x01
const RAW_BLOCK = 0x80000000
const MIN_MATCH = 4
/** More than any broker takes as one batch: a longer one is garbage. */
const MAX_OUTPUT_BYTES = 256 * 1_048_576

/** Decompresses the records of one batch. @throws LABAN_BROKER_REFUSED when the bytes are not an LZ4 frame */
export function decompressLz4(input: Buffer): Buffer {
  if (input.length < 7 || input.readUInt32LE(0) !== MAGIC) throw broken('it is not a frame')
  const flags = input[4] ?? 0
  if ((flags & FLAG_DICTIONARY) !== 0) throw broken('it needs a dictionary')
  const checksumBytes = (flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : 4
  const output = new Output(input.length * 4)
  let at = 4 + 2 + ((flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8) + 1
  for (;;) {
    if (at + 4 > input.length) throw broken('it has no end')
    const size = input.readUInt32LE(at)
    if (size === 0) return output.bytes()
    const length = size & ~RAW_BLOCK
    const block = input.subarray(at + 4, at + 4 + length)
    if (block.length < length) throw broken('a block is cut off')
    if (size >= RAW_BLOCK) output.append(block)
    else decompressBlock(block, output)
    at += 4 + length + checksumBytes
  }
}

function decompressBlock(block: Buffer, output: Output): void {
  let at = 0
  const extended = (short: number): number => {
    let length = short
    if (short < 15) return length
    for (;;) {
      const byte = block[at]
      if (byte === undefined) throw broken('a length is cut off')
      at += 1
      length += byte
      if (byte < 255) return length
    }
  }
  while (at < block.length) {
    const token = block[at] ?? 0
    at += 1
    const literals = extended(token >> 4)
    if (at + literals > block.length) throw broken('literals are cut off')
    output.append(block.subarray(at, at + literals))
    at += literals
    // The last sequence of a block is literals only.
    if (at === block.length) return
    if (at + 2 > block.length) throw broken('a match is cut off')
    const offset = block.readUInt16LE(at)
    at += 2
    output.repeat(offset, extended(token & 15) + MIN_MATCH)
  }
}

/** Grows as needed; blocks may refer to those before them, so all go into one buffer. */
class Output {
  #buffer: Buffer
  #length = 0

  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(1_024, expectedBytes))
  }

  append(bytes: Buffer): void {
    this.#reserve(bytes.length)
    bytes.copy(this.#buffer, this.#length)
    this.#length += bytes.length
  }

  repeat(offset: number, length: number): void {
    const from = this.#length - offset
    if (offset === 0 || from < 0) throw broken('a match from before the beginning')
    this.#reserve(length)
    const buffer = this.#buffer
    const to = this.#length
    if (offset >= length) buffer.copyWithin(to, from, from + length)
    else for (let index = 0; index < length; index += 1) buffer[to + index] = buffer[from + index] ?? 0
    this.#length += length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    if (needed > MAX_OUTPUT_BYTES) throw broken('it is too long')
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}

function broken(problem: string): LabanError {
  return new LabanError('LABAN_BROKER_REFUSED', {
    operation: 'decompressing',
    topic: 'a batch',
    problem: `lz4: ${problem}`,
  })
}
