/** How large a record will be on the wire: what limits and batch cuts are measured with. */
import { HeaderBlock } from '../../contracts/header-block.ts'
import type { OutgoingRecord } from '../ports/broker.ts'

/** Upper bound of the framing of one record (lengths, deltas, attributes). */
const RECORD_FRAMING_BYTES = 32
const HEADER_FRAMING_BYTES = 4

/** Bytes of key, value and headers with their framing, rounded up. */
export function recordBytes(record: OutgoingRecord): number {
  return RECORD_FRAMING_BYTES + byteLength(record.key) + byteLength(record.value) + headerBytes(record.headers)
}

function headerBytes(headers: OutgoingRecord['headers']): number {
  if (headers instanceof HeaderBlock) return headers.bytes.length
  let bytes = 0
  for (const name in headers) {
    const value = headers[name] ?? ''
    for (const single of typeof value === 'object' && !Buffer.isBuffer(value) ? value : [value]) {
      bytes += HEADER_FRAMING_BYTES + name.length + byteLength(single)
    }
  }
  return bytes
}

function byteLength(part: Buffer | string | null): number {
  if (part === null) return 0
  return typeof part === 'string' ? Buffer.byteLength(part) : part.length
}
