/** Confluent framing of a value: magic byte 0, schema id as 4-byte big-endian, Avro body. */

export const WIRE_HEADER_BYTES = 5

/** The schema id of a framed value, or a sentence saying why it is not one. */
export function readSchemaId(value: Buffer | null): number | string {
  if (value === null) return 'the value is null (a tombstone)'
  if (value.length < WIRE_HEADER_BYTES)
    return `the value has ${value.length} bytes, fewer than the 5 of the wire header`
  if (value[0] !== 0) return `the first byte is 0x${value.toString('hex', 0, 1)}, not the magic byte 0x00`
  return value.readUInt32BE(1)
}

/** Writes the wire header into the first five bytes of `target`. */
export function writeWireHeader(target: Buffer, schemaId: number): void {
  target[0] = 0
  target.writeUInt32BE(schemaId, 1)
}
