/** The primitives of the log file: varints, texts and byte strings (length 0 = null, else length + 1), written to a growing buffer. */

const FIRST_SIZE_BYTES = 64 * 1024

/** Writes primitives one after the other. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(FIRST_SIZE_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 128) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
  }

  bytes(value: Buffer | null): void {
    this.varint(value === null ? 0 : value.length + 1)
    if (value === null) return
    this.#reserve(value.length)
    this.#length += value.copy(this.#buffer, this.#length)
  }

  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.varint(length + 1)
    this.#reserve(length)
    this.#length += this.#buffer.write(value, this.#length)
  }

  /** What was written so far; then begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#length))
    this.#length = 0
    return taken
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** Reads them back; byte strings are slices of what it was given. The caller has checked that nothing is cut. */
export class ByteReader {
  readonly #buffer: Buffer
  #position = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#buffer.length
  }

  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#buffer.readUInt8(this.#position++)
      value += (byte & 0x7f) * factor
      if (byte < 128) return value
    }
  }

  bytes(): Buffer | null {
    const length = this.varint()
    if (length === 0) return null
    const begin = this.#position
    this.#position += length - 1
    return this.#buffer.subarray(begin, this.#position)
  }

  text(): string {
    return this.bytes()?.toString('utf8') ?? ''
  }
}
