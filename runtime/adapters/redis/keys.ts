/**
 * Keys in Redis (docs/design/states.md). Whatever one agent stores for one flow has the same hash tag, so that one script can
 * reach it in a cluster too.
 */
import { flowSlot, uuidToBytes, type Uuid } from '../../../contracts/ids.ts'

/** An agent's flows are spread over so many hash tags. Never change it: stored state would no longer be found. */
export const SLOTS = 64

const ID_BYTES = 16

/** Makes the keys of one agent. */
export interface AgentKeys {
  handling(flowId: Uuid, handlingId: Uuid): Buffer
  join(flowId: Uuid): Buffer
  journal(flowId: Uuid, handlingId: Uuid): Buffer
  /** The keys of handlings up to the number of their slot; behind it come `}:` and the id. */
  readonly handlingsBase: string
  /** Where the epoch of a slot is kept; without a slot, the one epoch of the agent on a standalone server. */
  epoch(slot?: number): string
  /** Who puts back what was lost. */
  readonly recoverer: string
}

/** The keys of one agent in one namespace. */
export function agentKeys(namespace: string, agent: string): AgentKeys {
  const tags = Array.from({ length: SLOTS }, (_, slot) => `{${prefixOf(namespace)}${agent}:${slot}}:`)
  const handlingPrefixes = tags.map((tag) => Buffer.from(tag))
  const joinPrefixes = tags.map((tag) => Buffer.from(`${tag}j:`))
  const journalPrefixes = tags.map((tag) => Buffer.from(`${tag}s:`))
  const idKey = (prefixes: readonly Buffer[], flowId: Uuid, id: Uuid): Buffer => {
    const prefix = prefixes[flowSlot(flowId, SLOTS)] ?? Buffer.alloc(0)
    const key = Buffer.allocUnsafe(prefix.length + ID_BYTES)
    prefix.copy(key)
    uuidToBytes(id).copy(key, prefix.length)
    return key
  }
  return {
    handlingsBase: `{${prefixOf(namespace)}${agent}:`,
    handling: (flowId, handlingId) => idKey(handlingPrefixes, flowId, handlingId),
    join: (flowId) => idKey(joinPrefixes, flowId, flowId),
    journal: (flowId, handlingId) => idKey(journalPrefixes, flowId, handlingId),
    recoverer: `{${prefixOf(namespace)}${agent}}:recoverer`,
    epoch: (slot) => (slot === undefined ? `{${prefixOf(namespace)}${agent}}:epoch` : `${tags[slot] ?? ''}epoch`),
  }
}

/** The epochs of an agent: one on a standalone server, one for each slot in a cluster; together they are one. */
export function epochKeys(keys: AgentKeys, isCluster: boolean): readonly string[] {
  return isCluster ? Array.from({ length: SLOTS }, (_, slot) => keys.epoch(slot)) : [keys.epoch()]
}

/** One name for all epochs of an agent, in the order of their keys. */
export function joinEpochs(names: readonly Buffer[]): string {
  return names.map((name) => name.toString('latin1')).join()
}

/** The name of each epoch, by its key. */
export function epochParts(epoch: string, keys: readonly string[]): ReadonlyMap<string, Buffer> {
  const names = epoch.split(',')
  return new Map(keys.map((key, index) => [key, Buffer.from(names[index] ?? '', 'latin1')]))
}

/** The lease of one process. */
export function leaseKey(namespace: string, instance: string): string {
  return `${prefixOf(namespace)}lease:${instance}`
}

/** A mark of an agent. */
export function markKey(namespace: string, agent: string, name: string): string {
  return `{${prefixOf(namespace)}${agent}:m}:${name}`
}

function prefixOf(namespace: string): string {
  return namespace === '' ? '' : `${namespace}:`
}
