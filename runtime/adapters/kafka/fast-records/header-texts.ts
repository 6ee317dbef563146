/**
 * Header names and most short header values are few and come with every record: each is turned into a string once and recognised
 * by its bytes afterwards. Longer values that are ASCII become strings too, which cost less than slices and pin no fetch buffer.
 */

const SLOTS = 1_024
/** Longer values hardly repeat: ids, times, trace contexts. */
const MAX_REPEATED_BYTES = 24

interface Known {
  readonly bytes: Buffer
  readonly text: string
}

/** A table of fixed size, of names or of values: two texts that meet in a slot replace each other, and nothing grows. */
export class HeaderTexts {
  readonly #slots = new Array<Known | undefined>(SLOTS)

  /** The name at `at`; the bytes are copied when they are new. */
  name(buffer: Buffer, at: number, length: number): string {
    if (length === 0) return ''
    const slot = slotOf(buffer, at, length)
    const known = this.#slots[slot]
    if (known !== undefined && isSame(known.bytes, buffer, at, length)) return known.text
    return this.#remember(slot, buffer, at, length)
  }

  /** The value at `at`: a string where its bytes are ASCII, so that the string stands for exactly these bytes; else a slice. */
  value(buffer: Buffer, at: number, length: number): string | Buffer {
    if (length === 0) return ''
    if (length > MAX_REPEATED_BYTES) {
      return isAscii(buffer, at, length) ? buffer.toString('latin1', at, at + length) : buffer.subarray(at, at + length)
    }
    const slot = slotOf(buffer, at, length)
    const known = this.#slots[slot]
    if (known !== undefined && isSame(known.bytes, buffer, at, length)) return known.text
    return isAscii(buffer, at, length) ? this.#remember(slot, buffer, at, length) : buffer.subarray(at, at + length)
  }

  #remember(slot: number, buffer: Buffer, at: number, length: number): string {
    const text = buffer.toString('utf8', at, at + length)
    this.#slots[slot] = { bytes: Buffer.from(buffer.subarray(at, at + length)), text }
    return text
  }
}

function slotOf(buffer: Buffer, at: number, length: number): number {
  const first = buffer[at] ?? 0
  const middle = buffer[at + (length >> 1)] ?? 0
  const last = buffer[at + length - 1] ?? 0
  return (length * 31 + first * 7 + middle * 131 + last * 17) % SLOTS
}

function isSame(bytes: Buffer, buffer: Buffer, at: number, length: number): boolean {
  if (bytes.length !== length) return false
  for (let index = 0; index < length; index += 1) if (bytes[index] !== buffer[at + index]) return false
  return true
}

function isAscii(buffer: Buffer, at: number, length: number): boolean {
  let bits = 0
  for (let index = at; index < at + length; index += 1) bits |= buffer[index] ?? 0
  return bits < 0x80
}
