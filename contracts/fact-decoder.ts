/**
 * Reads facts from Avro by hand: whoever reads flows back decodes them by the million, and the general decoder walks them twice.
 * Field by field the schema `platform/fact.avsc`. It never guesses: whatever is not as laban writes it is left to the general decoder,
 * which also names what is wrong with it.
 */
import type { Fact, FactInput, FactOutcome, FactOutput, FactStep } from './fact.ts'

/** Short texts that are remembered, by length and some of their bytes. A power of two. */
const REMEMBERED = 4_096
const LONGEST_REMEMBERED = 64
/** Longs of more bytes are left to the general decoder: 2^48 are nine thousand years in milliseconds. */
const MAX_LONG_BYTES = 7
const HIGH_BIT = 0x80
const OTHER_BITS = 0x7f
const INT_MAX = 0x7fff_ffff
const NO_BYTES = Buffer.alloc(0)
const NONE: readonly never[] = []
const NO_DETAIL: Fact['detail'] = {}

/**
 * See the file's head. Names and ids come again and again, so a text that was read lately is given again: one text is cheaper to keep,
 * to find and to compare than many copies of it.
 */
export class FactDecoder {
  readonly #remembered: string[] = new Array<string>(REMEMBERED).fill('')
  #bytes: Buffer = NO_BYTES
  #at = 0
  /** False once something was met that the general decoder must judge; what is read then means nothing. */
  #isWell = true

  /** The fact that fills the bytes from `at` to their end; undefined when they must be read the general way. */
  decode(bytes: Buffer, at: number): Fact | undefined {
    this.#bytes = bytes
    this.#at = at
    this.#isWell = true
    const fact = this.#fact()
    // The bytes may be a part of something large.
    this.#bytes = NO_BYTES
    return this.#isWell && this.#at === bytes.length ? fact : undefined
  }

  #fact(): Fact {
    return {
      formatVersion: this.#int(),
      outcome: this.#text() as FactOutcome,
      flowId: this.#text(),
      agent: this.#text(),
      agentVersion: this.#text(),
      instance: this.#text(),
      handlingId: this.#text(),
      inputs: this.#list(this.#readInput),
      attempt: this.#int(),
      startedAtMs: this.#long(),
      endedAtMs: this.#long(),
      errorCode: this.#maybe(),
      errorMessage: this.#maybe(),
      traceId: this.#maybe(),
      spanId: this.#maybe(),
      outputs: this.#list(this.#readOutput),
      steps: this.#list(this.#readStep),
      detail: this.#detail(),
    }
  }

  #input(): FactInput {
    return {
      eventId: this.#text(),
      topic: this.#text(),
      partition: this.#int(),
      offset: this.#long(),
      hop: this.#int(),
      source: this.#text(),
      causes: this.#list(this.#readText),
      recordedAtMs: this.#long(),
      key: this.#maybe(),
    }
  }

  #output(): FactOutput {
    return {
      eventId: this.#text(),
      topic: this.#text(),
      partition: this.#int(),
      offset: this.#long(),
      hash: this.#text(),
      key: this.#maybe(),
    }
  }

  #step(): FactStep {
    return { name: this.#text(), durationMs: this.#long(), cost: this.#cost(), replayed: this.#flag() }
  }

  readonly #readInput = (): FactInput => this.#input()
  readonly #readOutput = (): FactOutput => this.#output()
  readonly #readStep = (): FactStep => this.#step()
  readonly #readText = (): string => this.#text()

  /** Blocks behind their lengths, nearly always one, and an empty one. */
  #list<T>(read: () => T): readonly T[] {
    let count = this.#count()
    if (count === 0) return NONE
    const list: T[] = []
    for (; count > 0; count = this.#count()) {
      for (let index = 0; index < count && this.#isWell; index++) list.push(read())
    }
    return list
  }

  #detail(): Fact['detail'] {
    let count = this.#count()
    if (count === 0) return NO_DETAIL
    const detail: Record<string, string> = {}
    for (; count > 0; count = this.#count()) {
      for (let index = 0; index < count && this.#isWell; index++) {
        const name = this.#text()
        const text = this.#text()
        // Set by name it would be lost.
        if (name === '__proto__') this.#isWell = false
        detail[name] = text
      }
    }
    return detail
  }

  /** Items of the next block. Each takes a byte at least, so more of them than bytes are garbage; 0 once something is amiss. */
  #count(): number {
    const count = this.#long()
    if (count < 0 || count > this.#bytes.length - this.#at) this.#isWell = false
    return this.#isWell ? count : 0
  }

  #maybe(): string | null {
    return this.#isThere() ? this.#text() : null
  }

  #cost(): number | null {
    if (!this.#isThere()) return null
    const at = this.#at
    this.#at += 8
    if (this.#at <= this.#bytes.length) return this.#bytes.readDoubleLE(at)
    this.#isWell = false
    return null
  }

  /** Which branch of a union with null. */
  #isThere(): boolean {
    const branch = this.#bytes[this.#at++]
    if (branch !== 0 && branch !== 2) this.#isWell = false
    return branch === 2
  }

  #flag(): boolean {
    const byte = this.#bytes[this.#at++]
    if (byte !== 0 && byte !== 1) this.#isWell = false
    return byte === 1
  }

  #text(): string {
    const length = this.#long()
    const start = this.#at
    const end = start + length
    if (length < 0 || end > this.#bytes.length) {
      this.#isWell = false
      return ''
    }
    this.#at = end
    return length <= LONGEST_REMEMBERED ? this.#shortText(start, end) : this.#bytes.toString('utf8', start, end)
  }

  #shortText(start: number, end: number): string {
    const bytes = this.#bytes
    let mixed = end - start
    for (let at = Math.max(start, end - 6); at < end; at++) mixed = Math.imul(mixed, 31) + (bytes[at] ?? 0)
    mixed = Math.imul(mixed, 31) + (bytes[start] ?? 0)
    const slot = (mixed ^ (mixed >>> 12)) & (REMEMBERED - 1)
    const known = this.#remembered[slot] ?? ''
    if (known.length === end - start && this.#holds(known, start)) return known
    const text = bytes.toString('utf8', start, end)
    if (text.length === end - start) this.#remembered[slot] = text
    return text
  }

  #holds(text: string, start: number): boolean {
    const bytes = this.#bytes
    for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text.charCodeAt(index)) return false
    return true
  }

  #int(): number {
    const value = this.#long()
    if (value > INT_MAX || value < -INT_MAX - 1) this.#isWell = false
    return value
  }

  #long(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++] ?? 0
    const isNegative = (byte & 1) === 1
    let half = (byte & OTHER_BITS) >> 1
    if (byte >= HIGH_BIT) {
      const end = this.#at + MAX_LONG_BYTES - 1
      let factor = 64
      do {
        byte = bytes[this.#at++] ?? 0
        half += (byte & OTHER_BITS) * factor
        factor *= 128
      } while (byte >= HIGH_BIT && this.#at < end)
    }
    if (byte >= HIGH_BIT || this.#at > bytes.length) this.#isWell = false
    return isNegative ? -half - 1 : half
  }
}
