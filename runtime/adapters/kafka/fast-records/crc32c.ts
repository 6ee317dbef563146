/** The checksum of record batches, eight bytes at a time. @source RFC 3720, appendix B.4 (Castagnoli) */

const POLYNOMIAL = 0x82f63b78
const SLICES = 8

/** Table `n` advances a byte's remainder by `n` further zero bytes. */
const TABLES = makeTables()
const T0 = tableAt(0)
const T1 = tableAt(1)
const T2 = tableAt(2)
const T3 = tableAt(3)
const T4 = tableAt(4)
const T5 = tableAt(5)
const T6 = tableAt(6)
const T7 = tableAt(7)

/** CRC-32C of `bytes` from `start` up to `end`, as an unsigned number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (; at + SLICES <= end; at += SLICES) {
    crc ^=
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
    crc =
      byteOf(T7, crc & 0xff) ^
      byteOf(T6, (crc >>> 8) & 0xff) ^
      byteOf(T5, (crc >>> 16) & 0xff) ^
      byteOf(T4, crc >>> 24) ^
      byteOf(T3, byteAt(bytes, at + 4)) ^
      byteOf(T2, byteAt(bytes, at + 5)) ^
      byteOf(T1, byteAt(bytes, at + 6)) ^
      byteOf(T0, byteAt(bytes, at + 7))
  }
  for (; at < end; at += 1) crc = byteOf(T0, (crc ^ byteAt(bytes, at)) & 0xff) ^ (crc >>> 8)
  return (crc ^ -1) >>> 0
}

// Casts, because all indexes are in range by construction, and a check per byte would cost as much as the checksum.
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}

function byteOf(table: Int32Array, byte: number): number {
  return table[byte] as number
}

function tableAt(slice: number): Int32Array {
  return TABLES.subarray(slice * 256, (slice + 1) * 256)
}

function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at += 1) {
    const previous = tables[at - 256] ?? 0
    tables[at] = (tables[previous & 0xff] ?? 0) ^ (previous >>> 8)
  }
  return tables
}
