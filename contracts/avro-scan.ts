/**
 * Walks Avro bytes by their writer schema without building values. Two uses: it refuses counts that the remaining bytes cannot
 * hold before avsc would loop over them (a few bytes of garbage can claim 2^60 items), and it names the field where bytes go wrong.
 */
import avro, { type Type } from 'avsc'

/** Where and why bytes do not fit a schema. */
export interface ScanProblem {
  /** Dotted path of fields, `value` at the top. */
  readonly path: string
  readonly problem: string
}

/** Items without any bytes (nulls, empty records) that one value may hold. */
const MAX_EMPTY_ITEMS = 100_000
const MAX_DEPTH = 1_000

/** True when values of the type hold a count, so that {@link scanAvro} must run before avsc reads foreign bytes. */
export function holdsCounts(type: Type, seen: Set<Type> = new Set()): boolean {
  if (seen.has(type)) return true
  seen.add(type)
  if (type instanceof avro.types.ArrayType || type instanceof avro.types.MapType) return true
  if (type instanceof avro.types.RecordType) return type.fields.some((field) => holdsCounts(field.type, new Set(seen)))
  if (type instanceof avro.types.UnwrappedUnionType)
    return type.types.some((branch) => holdsCounts(branch, new Set(seen)))
  return false
}

/** The first problem of bytes from `start` to their end, or undefined when they are exactly one value of the type. */
export function scanAvro(type: Type, bytes: Buffer, start: number): ScanProblem | undefined {
  const scanner = new Scanner(bytes, start)
  try {
    scanner.visit(type, 0)
  } catch (error) {
    if (error instanceof ScanStop) return { path: scanner.pathText(), problem: error.message }
    throw error
  }
  const left = bytes.length - scanner.position
  return left === 0 ? undefined : { path: 'value', problem: `${left} bytes follow the value` }
}

/** Ends a scan; never leaves this file. */
class ScanStop extends Error {}

class Scanner {
  position: number
  private readonly bytes: Buffer
  private readonly path: (string | number)[] = []
  private emptyItems = 0

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes
    this.position = start
  }

  pathText(): string {
    return this.path.length === 0 ? 'value' : this.path.join('.')
  }

  visit(type: Type, depth: number): void {
    if (depth > MAX_DEPTH) throw new ScanStop(`it is nested deeper than ${MAX_DEPTH} levels`)
    if (type instanceof avro.types.RecordType) {
      for (const field of type.fields) this.visitAt(field.name, field.type, depth)
    } else if (type instanceof avro.types.UnwrappedUnionType) this.visitUnion(type, depth)
    else if (type instanceof avro.types.ArrayType) this.visitBlocks(depth, type.itemsType, false)
    else if (type instanceof avro.types.MapType) this.visitBlocks(depth, type.valuesType as Type, true)
    else if (type instanceof avro.types.EnumType) this.visitEnum(type)
    else if (type instanceof avro.types.FixedType) this.skip(type.size)
    else if (type instanceof avro.types.LogicalType) this.visit(type.underlyingType, depth)
    else this.visitPrimitive(type.typeName)
  }

  private visitAt(step: string | number, type: Type, depth: number): void {
    this.path.push(step)
    this.visit(type, depth + 1)
    this.path.pop()
  }

  private visitPrimitive(typeName: string): void {
    if (typeName === 'boolean') this.skip(1)
    else if (typeName === 'float') this.skip(4)
    else if (typeName === 'double') this.skip(8)
    else if (typeName === 'int') this.readInt()
    else if (typeName === 'long') this.readSafeLong()
    else if (typeName === 'string' || typeName === 'bytes') this.skip(this.readCount())
  }

  private visitUnion(type: avro.types.UnwrappedUnionType, depth: number): void {
    const branch = type.types[this.readCount()]
    if (branch === undefined) throw new ScanStop(`the union has ${type.types.length} branches, the bytes name another`)
    this.visit(branch, depth + 1)
  }

  private visitEnum(type: avro.types.EnumType): void {
    if (type.symbols[this.readCount()] === undefined) {
      throw new ScanStop(`the enum has ${type.symbols.length} symbols, the bytes name another`)
    }
  }

  private visitBlocks(depth: number, itemType: Type, keyed: boolean): void {
    for (;;) {
      const count = this.readLong()
      if (count === 0) return
      if (count < 0) this.readLong()
      this.visitItems(Math.abs(count), depth, itemType, keyed)
    }
  }

  private visitItems(count: number, depth: number, itemType: Type, keyed: boolean): void {
    for (let index = 0; index < count; index++) {
      const before = this.position
      if (keyed) this.skip(this.readCount())
      this.visitAt(index, itemType, depth)
      if (this.position === before && ++this.emptyItems > MAX_EMPTY_ITEMS) {
        throw new ScanStop(`it claims ${count} items without bytes`)
      }
    }
  }

  private skip(count: number): void {
    this.position += count
    if (this.position > this.bytes.length) throw new ScanStop('the bytes end too early')
  }

  /** A length or index: not negative and within the bytes that can exist. */
  private readCount(): number {
    const count = this.readLong()
    if (count < 0 || count > 0x7f_ff_ff_ff) throw new ScanStop(`a length or index of ${count} is not possible`)
    return count
  }

  private readInt(): void {
    const value = this.readLong()
    if (value < -0x80_00_00_00 || value > 0x7f_ff_ff_ff) throw new ScanStop(`${value} is no 32-bit int`)
  }

  private readSafeLong(): void {
    if (!Number.isSafeInteger(this.readLong())) {
      throw new ScanStop('the long lies beyond 2^53, which a JavaScript number cannot hold')
    }
  }

  /** A zigzag number from its sign bit and its half: exact up to 2^53, and beyond it only its size matters. */
  private readLong(): number {
    let isNegative = false
    let half = 0
    for (let index = 0, factor = 0.5; index < 10; index++, factor *= 128) {
      const byte = this.bytes[this.position++]
      if (byte === undefined) throw new ScanStop('the bytes end too early')
      if (index === 0) isNegative = (byte & 1) === 1
      half += (index === 0 ? byte & 0x7e : byte & 0x7f) * factor
      if (byte < 0x80) return isNegative ? -half - 1 : half
    }
    throw new ScanStop('a number has more than ten bytes')
  }
}
