/** Variable-length integers as Kafka records and Avro write them: seven bits a byte, lowest first, signs folded into the lowest bit. */

/** Bytes that a signed integer of at most 32 bits takes. */
export function sizeOfVarint(value: number): number {
  const folded = ((value << 1) ^ (value >> 31)) >>> 0
  if (folded < 0x80) return 1
  if (folded < 0x4000) return 2
  if (folded < 0x200000) return 3
  return folded < 0x10000000 ? 4 : 5
}

/** Writes it and returns the offset behind it. */
export function writeVarint(buffer: Buffer, at: number, value: number): number {
  let folded = ((value << 1) ^ (value >> 31)) >>> 0
  let next = at
  while (folded >= 0x80) {
    buffer[next] = (folded & 0x7f) | 0x80
    folded >>>= 7
    next += 1
  }
  buffer[next] = folded
  return next + 1
}

/** Reads one of at most 32 bits at `at`; `next` is the offset behind it. Undefined where the bytes end too early. */
export function readVarint(buffer: Buffer, at: number): { readonly value: number; readonly next: number } | undefined {
  let folded = 0
  for (let next = at, shift = 0; shift <= 28; shift += 7) {
    const byte = buffer[next++]
    if (byte === undefined) return undefined
    folded |= (byte & 0x7f) << shift
    if (byte < 0x80) return { value: (folded >>> 1) ^ -(folded & 1), next }
  }
  return undefined
}

/** Bytes that a non-negative whole number below 2^52 takes. */
export function sizeOfVarlong(value: number): number {
  let rest = value * 2
  let bytes = 1
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80)
    bytes += 1
  }
  return bytes
}

/** Writes a non-negative whole number below 2^52 and returns the offset behind it. */
export function writeVarlong(buffer: Buffer, at: number, value: number): number {
  let rest = value * 2
  let next = at
  while (rest >= 0x80) {
    buffer[next] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
    next += 1
  }
  buffer[next] = rest
  return next + 1
}
