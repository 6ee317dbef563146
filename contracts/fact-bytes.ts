/**
 * Writes facts in Avro by hand: one of them follows every handling, and a general encoder spends more on it than on the event
 * itself. Field by field the schema `platform/fact.avsc`; a test holds the bytes equal to the general encoder's.
 */
import type { Fact, FactInput, FactOutput, FactStep } from './fact.ts'

/**
 * Writes a fact at `at` and returns the offset behind it; where the buffer may be too small, a negative number instead: the room
 * that would be left.
 */
export function writeFact(fact: Fact, target: Buffer, at: number): number {
  const left = target.length - at - boundOf(fact)
  if (left < 0) return left
  const writer = new FactWriting(target, at)
  writer.fact(fact)
  return writer.at
}

/** Bytes of a number at most; those of a text are its length and three for each of its characters at most. */
const NUMBER_BYTES = 10
const FACT_NUMBERS = 20
const PART_NUMBERS = 12
const BYTES_PER_CHARACTER = 3

function boundOf(fact: Fact): number {
  let numbers = FACT_NUMBERS
  let characters =
    fact.outcome.length + fact.flowId.length + fact.agent.length + fact.agentVersion.length + fact.instance.length
  characters += fact.handlingId.length + (fact.errorCode?.length ?? 0) + (fact.errorMessage?.length ?? 0)
  characters += (fact.traceId?.length ?? 0) + (fact.spanId?.length ?? 0)
  for (const { eventId, topic, source, causes, key } of fact.inputs) {
    numbers += PART_NUMBERS + causes.length
    characters += eventId.length + topic.length + source.length + (key?.length ?? 0)
    for (const cause of causes) characters += cause.length
  }
  for (const { eventId, topic, hash, key } of fact.outputs) {
    numbers += PART_NUMBERS
    characters += eventId.length + topic.length + hash.length + (key?.length ?? 0)
  }
  for (const { name } of fact.steps) {
    numbers += PART_NUMBERS
    characters += name.length
  }
  for (const name in fact.detail) {
    numbers += 2
    characters += name.length + (fact.detail[name]?.length ?? 0)
  }
  return numbers * NUMBER_BYTES + characters * BYTES_PER_CHARACTER
}

/** Longest text whose length takes one byte. */
const SHORT_BYTES = 63
const IS_32_BIT = 2 ** 30

class FactWriting {
  at: number
  readonly #target: Buffer

  constructor(target: Buffer, at: number) {
    this.#target = target
    this.at = at
  }

  fact(fact: Fact): void {
    this.#long(fact.formatVersion)
    this.#text(fact.outcome)
    this.#text(fact.flowId)
    this.#text(fact.agent)
    this.#text(fact.agentVersion)
    this.#text(fact.instance)
    this.#text(fact.handlingId)
    this.#begin(fact.inputs.length)
    for (const input of fact.inputs) this.#input(input)
    this.#end()
    this.#long(fact.attempt)
    this.#long(fact.startedAtMs)
    this.#long(fact.endedAtMs)
    this.#maybe(fact.errorCode)
    this.#maybe(fact.errorMessage)
    this.#maybe(fact.traceId)
    this.#maybe(fact.spanId)
    this.#begin(fact.outputs.length)
    for (const output of fact.outputs) this.#output(output)
    this.#end()
    this.#begin(fact.steps.length)
    for (const step of fact.steps) this.#step(step)
    this.#end()
    this.#detail(fact.detail)
  }

  #input(input: FactInput): void {
    this.#text(input.eventId)
    this.#text(input.topic)
    this.#long(input.partition)
    this.#long(input.offset)
    this.#long(input.hop)
    this.#text(input.source)
    this.#begin(input.causes.length)
    for (const cause of input.causes) this.#text(cause)
    this.#end()
    this.#long(input.recordedAtMs)
    this.#maybe(input.key)
  }

  #output(output: FactOutput): void {
    this.#text(output.eventId)
    this.#text(output.topic)
    this.#long(output.partition)
    this.#long(output.offset)
    this.#text(output.hash)
    this.#maybe(output.key)
  }

  #step({ name, durationMs, cost, replayed }: FactStep): void {
    this.#text(name)
    this.#long(durationMs)
    if (cost === null) this.#long(0)
    else {
      this.#long(1)
      this.at = this.#target.writeDoubleLE(cost, this.at)
    }
    this.#target[this.at++] = replayed ? 1 : 0
  }

  #detail(detail: Fact['detail']): void {
    const names = Object.keys(detail)
    this.#begin(names.length)
    for (const name of names) {
      this.#text(name)
      this.#text(detail[name] ?? '')
    }
    this.#end()
  }

  /** An array or a map is one block behind its length, and an empty block. */
  #begin(length: number): void {
    if (length > 0) this.#long(length)
  }

  #end(): void {
    this.#long(0)
  }

  #maybe(text: string | null): void {
    if (text === null) return this.#long(0)
    this.#long(1)
    this.#text(text)
  }

  #text(text: string): void {
    const bytes = this.#target.write(text, this.at + 1)
    if (bytes <= SHORT_BYTES) {
      this.#target[this.at] = bytes << 1
      this.at += 1 + bytes
      return
    }
    this.#long(bytes)
    this.at += this.#target.write(text, this.at)
  }

  #long(value: number): void {
    if (value >= IS_32_BIT || value < -IS_32_BIT) return this.#large(value)
    let folded = ((value << 1) ^ (value >> 31)) >>> 0
    while (folded >= 0x80) {
      this.#target[this.at++] = (folded & 0x7f) | 0x80
      folded >>>= 7
    }
    this.#target[this.at++] = folded
  }

  /** Exact for every safe integer: folding doubles it, which floats do without loss. */
  #large(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number that can be written`)
    let high = Math.floor(value / 0x4000_0000)
    let low = value - high * 0x4000_0000
    // Folded: the sign in the lowest bit, all others turned where it is set.
    const sign = value < 0 ? 1 : 0
    if (sign === 1) {
      high = -1 - high
      low = 0x3fff_ffff - low
    }
    let rest = high * 0x8000_0000 + low * 2
    let first = sign
    // Above 2^53 the doubled number is even, so that the sign is added to the first seven bits alone.
    while (rest >= 0x80) {
      this.#target[this.at++] = (rest % 0x80) | first | 0x80
      first = 0
      rest = Math.floor(rest / 0x80)
    }
    this.#target[this.at++] = rest | first
  }
}
