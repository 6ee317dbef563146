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
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  return (murmur2(bytes) & 0x7fffffff) % partitions
}
