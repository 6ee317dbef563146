/** Header names are few and come with every record: each is turned into a string once and recognised by its bytes afterwards. */

const SLOTS = 1_024

interface Known {
  readonly bytes: Buffer
  readonly name: string
}

/** A table of fixed size: two names that meet in a slot replace each other, and nothing grows. */
export class HeaderNames {
  readonly #slots = new Array<Known | undefined>(SLOTS)

  /** The name at `at`; the bytes are copied when they are new. */
  read(buffer: Buffer, at: number, length: number): string {
    if (length === 0) return ''
    const first = buffer[at] ?? 0
    const middle = buffer[at + (length >> 1)] ?? 0
    const last = buffer[at + length - 1] ?? 0
    const slot = (length * 31 + first * 7 + middle * 131 + last * 17) % SLOTS
    const known = this.#slots[slot]
    if (known !== undefined && isSame(known.bytes, buffer, at, length)) return known.name
    const name = buffer.toString('utf8', at, at + length)
    this.#slots[slot] = { bytes: Buffer.from(buffer.subarray(at, at + length)), name }
    return name
  }
}

function isSame(bytes: Buffer, buffer: Buffer, at: number, length: number): boolean {
  if (bytes.length !== length) return false
  for (let index = 0; index < length; index += 1) if (bytes[index] !== buffer[at + index]) return false
  return true
}
