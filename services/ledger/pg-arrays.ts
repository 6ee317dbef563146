/**
 * Arrays in PostgreSQL's binary form: thousands of rows go in one statement through `unnest`, without being written as text and
 * parsed again. The form: dimensions, has-nulls, element type, length, lower bound, then each element behind its length.
 */
import { writeUuid, type Uuid } from '../../contracts/index.ts'

const OIDS = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, float8: 701, timestamptz: 1184, uuid: 2950 } as const
const HEAD_BYTES = 20
const LENGTH_BYTES = 4
const NULL_LENGTH = -1
/** Microseconds from 1970 to 2000, where PostgreSQL's time begins. */
const EPOCH_2000_MS = 946_684_800_000
const TWO_32 = 2 ** 32

/** `uuid[]` */
export function uuids(values: readonly Uuid[]): Buffer {
  return fixed('uuid', 16, values, (target, at, id) => void writeUuid(target, at, id))
}

/** `int4[]` */
export function int4s(values: readonly number[]): Buffer {
  return fixed('int4', 4, values, (target, at, value) => void target.writeInt32BE(value, at))
}

/** `int8[]`; the values are safe integers. */
export function int8s(values: readonly number[]): Buffer {
  return fixed('int8', 8, values, writeInt8)
}

/** `float8[]`; null is null. */
export function float8s(values: readonly (number | null)[]): Buffer {
  return fixed('float8', 8, values, (target, at, value) => void target.writeDoubleBE(value, at))
}

/** `bool[]` */
export function bools(values: readonly boolean[]): Buffer {
  return fixed('bool', 1, values, (target, at, value) => void target.writeUInt8(value ? 1 : 0, at))
}

/** `timestamptz[]` from epoch milliseconds; null is null. */
export function timestamps(values: readonly (number | null)[]): Buffer {
  return fixed('timestamptz', 8, values, (target, at, ms) => writeInt8(target, at, (ms - EPOCH_2000_MS) * 1_000))
}

/** `bytea[]`; null is null. */
export function byteas(values: readonly (Buffer | null)[]): Buffer {
  let bytes = HEAD_BYTES
  for (const value of values) bytes += LENGTH_BYTES + (value?.length ?? 0)
  const target = head('bytea', values, bytes)
  let at = HEAD_BYTES
  for (const value of values) {
    target.writeInt32BE(value?.length ?? NULL_LENGTH, at)
    at += LENGTH_BYTES + (value?.copy(target, at + LENGTH_BYTES) ?? 0)
  }
  return target
}

/** `text[]`. PostgreSQL has no zero character in texts: it becomes U+FFFD. */
export function texts(values: readonly string[]): Buffer {
  const encoded = values.map((value) => Buffer.from(value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value))
  const target = byteas(encoded)
  target.writeInt32BE(OIDS.text, 8)
  return target
}

function fixed<T extends string | number | boolean>(
  type: keyof typeof OIDS,
  width: number,
  values: readonly (T | null)[],
  write: (target: Buffer, at: number, value: T) => void,
): Buffer {
  const nulls = values.reduce((count, value) => (value === null ? count + 1 : count), 0)
  const target = head(type, values, HEAD_BYTES + values.length * (LENGTH_BYTES + width) - nulls * width)
  let at = HEAD_BYTES
  for (const value of values) {
    target.writeInt32BE(value === null ? NULL_LENGTH : width, at)
    at += LENGTH_BYTES
    if (value === null) continue
    write(target, at, value)
    at += width
  }
  return target
}

function head(type: keyof typeof OIDS, values: readonly unknown[], bytes: number): Buffer {
  const target = Buffer.allocUnsafe(bytes)
  target.writeInt32BE(1, 0)
  target.writeInt32BE(values.includes(null) ? 1 : 0, 4)
  target.writeInt32BE(OIDS[type], 8)
  target.writeInt32BE(values.length, 12)
  target.writeInt32BE(1, 16)
  return target
}

/** Two's complement in two halves: a BigInt for each number would cost more than all the rest. */
function writeInt8(target: Buffer, at: number, value: number): void {
  target.writeInt32BE(Math.floor(value / TWO_32), at)
  target.writeUInt32BE(((value % TWO_32) + TWO_32) % TWO_32, at + 4)
}
