/**
 * The map of finished offsets above the committed one, as it travels in commit metadata: `l1` + base64url of varint run lengths
 * (unfinished, finished, …) from the committed offset. When it does not fit, the longest prefix that does: what is left out
 * counts as unfinished, which costs repeated look-ups but never a record.
 */

export const OFFSET_MAP_FORMAT = 'l1'
/** Brokers accept 4,096 bytes by default (offset.metadata.max.bytes). */
export const MAX_METADATA_BYTES = 4_096

/** Finished offsets read back from metadata. */
export interface OffsetRanges {
  has(offset: number): boolean
  /** How many are at or above this offset. */
  countFrom(offset: number): number
  /** First offset above all ranges; 0 when there are none. */
  readonly end: number
}

export const emptyRanges: OffsetRanges = { has: () => false, countFrom: () => 0, end: 0 }

/** Metadata for runs that alternate from the committed offset on: unfinished, finished, …; '' when nothing is finished above it. */
export function encodeOffsetMap(runs: readonly number[], maxBytes = MAX_METADATA_BYTES): string {
  if (runs.length < 2) return ''
  const budget = Math.floor(((maxBytes - OFFSET_MAP_FORMAT.length) * 3) / 4) - 2
  const bytes: number[] = []
  let kept = 0
  for (let index = 0; index + 1 < runs.length; index += 2) {
    appendVarint(bytes, runs[index] ?? 0)
    appendVarint(bytes, runs[index + 1] ?? 0)
    if (bytes.length > budget) break
    kept = bytes.length
  }
  return kept === 0 ? '' : OFFSET_MAP_FORMAT + Buffer.from(bytes.slice(0, kept)).toString('base64url')
}

/**
 * Reads metadata back. Metadata that laban did not write is no map and counts as empty.
 * @returns undefined when the format is newer than this laban knows
 */
export function decodeOffsetMap(metadata: string, base: number): OffsetRanges | undefined {
  if (metadata === '') return emptyRanges
  if (!metadata.startsWith(OFFSET_MAP_FORMAT)) return /^l\d/.test(metadata) ? undefined : emptyRanges
  const bytes = Buffer.from(metadata.slice(OFFSET_MAP_FORMAT.length), 'base64url')
  const starts: number[] = []
  const ends: number[] = []
  let offset = base
  let position = 0
  let finished = false
  while (position < bytes.length) {
    let length = 0
    let factor = 1
    for (;;) {
      const byte = bytes[position++]
      if (byte === undefined) return emptyRanges
      length += (byte & 0x7f) * factor
      if (byte < 0x80) break
      factor *= 128
    }
    if (finished) {
      starts.push(offset)
      ends.push(offset + length)
    }
    offset += length
    finished = !finished
  }
  return starts.length === 0 ? emptyRanges : new SortedRanges(starts, ends)
}

/** Disjoint ranges in rising order, searched by halves. */
class SortedRanges implements OffsetRanges {
  readonly end: number
  readonly #starts: readonly number[]
  readonly #ends: readonly number[]

  constructor(starts: readonly number[], ends: readonly number[]) {
    this.#starts = starts
    this.#ends = ends
    this.end = ends.at(-1) ?? 0
  }

  countFrom(offset: number): number {
    return this.#ends.reduce(
      (sum, end, index) => sum + Math.max(0, end - Math.max(offset, this.#starts[index] ?? 0)),
      0,
    )
  }

  has(offset: number): boolean {
    let low = 0
    let high = this.#starts.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      if (offset < (this.#starts[middle] ?? 0)) high = middle - 1
      else if (offset >= (this.#ends[middle] ?? 0)) low = middle + 1
      else return true
    }
    return false
  }
}

function appendVarint(target: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    target.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  target.push(rest)
}
