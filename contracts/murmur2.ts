/** The key hash of Kafka's own producers: every adapter places a key by it, so that all clients agree on its partition. */

const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * The 32-bit murmur2 of Kafka's Java client, as a signed integer.
 * @source org.apache.kafka.common.utils.Utils#murmur2
 */
export function murmur2(data: Uint8Array): number {
  const { length } = data
  const words = length >>> 2
  const view = new DataView(data.buffer, data.byteOffset, length)
  let hash = (SEED ^ length) | 0
  for (let word = 0; word < words; word += 1) {
    let k = Math.imul(view.getInt32(word << 2, true), M)
    k = Math.imul(k ^ (k >>> 24), M)
    hash = Math.imul(hash, M) ^ k
  }
  const tailAt = words << 2
  const tailBytes = length - tailAt
  if (tailBytes === 3) hash ^= view.getUint8(tailAt + 2) << 16
  if (tailBytes >= 2) hash ^= view.getUint8(tailAt + 1) << 8
  if (tailBytes >= 1) hash = Math.imul(hash ^ view.getUint8(tailAt), M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** The partition, from 0 to `partitions` - 1, that a key goes to; text is hashed as UTF-8. */
export function partitionOfKey(key: Buffer | string, partitions: number): number {
  const hash = typeof key === 'string' ? (asciiMurmur2(key) ?? murmur2(Buffer.from(key))) : murmur2(key)
  return (hash & 0x7fffffff) % partitions
}

/** The hash of a text of ASCII characters without its bytes being made; undefined for any other text. */
function asciiMurmur2(text: string): number | undefined {
  const { length } = text
  const words = length >>> 2
  let hash = (SEED ^ length) | 0
  let bits = 0
  for (let at = 0; at < words << 2; at += 4) {
    const a = text.charCodeAt(at)
    const b = text.charCodeAt(at + 1)
    const c = text.charCodeAt(at + 2)
    const d = text.charCodeAt(at + 3)
    bits |= a | b | c | d
    let k = Math.imul(a | (b << 8) | (c << 16) | (d << 24), M)
    k = Math.imul(k ^ (k >>> 24), M)
    hash = Math.imul(hash, M) ^ k
  }
  const tailAt = words << 2
  for (let index = length - 1; index >= tailAt; index--) {
    const code = text.charCodeAt(index)
    bits |= code
    hash ^= code << ((index - tailAt) * 8)
  }
  if (length > tailAt) hash = Math.imul(hash, M)
  if (bits > 0x7f) return undefined
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}
