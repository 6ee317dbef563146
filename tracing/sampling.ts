/** Head sampling: whether a flow is traced is decided by its id alone, so every process decides the same without asking. */
import type { Uuid } from '../contracts/ids.ts'

const TWO_TO_32 = 4_294_967_296

/**
 * True for about `sampleRatio` of all flows. A flow sampled at one ratio is sampled at every higher one.
 * @param sampleRatio 0 to 1
 */
export function isFlowSampled(flowId: Uuid, sampleRatio: number): boolean {
  if (sampleRatio >= 1) return true
  return hashOf(flowId) < sampleRatio * TWO_TO_32
}

/** FNV-1a with murmur3's finalizer: ids may be given by publishers, so no part of them can be trusted to be evenly spread. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
