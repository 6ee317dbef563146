/** What one handling costs beyond the processor: operations of the store, bytes that stay, and what that comes to in production. */
import type { DrainResult } from './run-worker.ts'
import { CHAIN_WORKLOAD } from './workload.ts'

const PRODUCTION_PER_SECOND = 1_000
const PRODUCTION_DAYS = 8
const DAY_S = 86_400
const GIGABYTE = 1_000_000_000

export interface HandlingCost {
  /** Calls of the store, each one round trip, shared by all entries of its batch. */
  readonly storeCalls: number
  /** Entries of those calls by method: the operations that a handling needs. */
  readonly storeEntries: Readonly<Record<string, number>>
  /** Commands that Redis counted, those inside of scripts included; everybody's who uses the server. */
  readonly redisCommands: number
  readonly factBytes: number
  readonly journalBytes: number
  readonly outputBytes: number
  readonly redisBytes: number
  /** Gigabytes at 1,000 handlings/s after 8 days, one replica, uncompressed; in Redis after the 24 h that ids are remembered. */
  readonly after8Days: {
    readonly factsGb: number
    readonly journalGb: number
    readonly outputsGb: number
    readonly redis24hGb: number
  }
}

/** Undefined for a run that did not count its bytes, which is what raw loops do. */
export function costPerHandling(
  { bytes, usages, redisCommands }: DrainResult,
  flows: number,
): HandlingCost | undefined {
  if (bytes === undefined) return undefined
  const handlings = flows * CHAIN_WORKLOAD.stages.length
  const perHandling = (total: number): number => Number((total / handlings).toFixed(3))
  const entries: Record<string, number> = {}
  let calls = 0
  for (const { store } of usages) {
    for (const [method, use] of Object.entries(store)) {
      calls += use.calls
      entries[method] = (entries[method] ?? 0) + perHandling(use.entries)
    }
  }
  const { facts, journal, outputs } = bytes.log
  const gigabytes = (perHandlingBytes: number, days: number): number =>
    Number(((perHandlingBytes * PRODUCTION_PER_SECOND * DAY_S * days) / GIGABYTE).toFixed(1))
  const factBytes = perHandling(facts.count * facts.bytes)
  const journalBytes = perHandling(journal.count * journal.bytes)
  const outputBytes = perHandling(outputs.count * outputs.bytes)
  const redisBytes = perHandling(bytes.redis.count * bytes.redis.bytes)
  return {
    storeCalls: perHandling(calls),
    storeEntries: entries,
    redisCommands: perHandling(redisCommands),
    factBytes,
    journalBytes,
    outputBytes,
    redisBytes,
    after8Days: {
      factsGb: gigabytes(factBytes, PRODUCTION_DAYS),
      journalGb: gigabytes(journalBytes, PRODUCTION_DAYS),
      outputsGb: gigabytes(outputBytes, PRODUCTION_DAYS),
      redis24hGb: gigabytes(redisBytes, 1),
    },
  }
}

/** Lines for people. */
export function describeCost(cost: HandlingCost): readonly string[] {
  const entries = Object.entries(cost.storeEntries).map(([method, count]) => `${count.toFixed(2)} ${method}`)
  const { factsGb, journalGb, outputsGb, redis24hGb } = cost.after8Days
  return [
    `per handling: ${entries.join(', ')} in ${cost.storeCalls} calls of the store; ${cost.redisCommands} commands in Redis (all of its users)`,
    `per handling: ${cost.factBytes.toFixed(0)} B of facts, ${cost.journalBytes.toFixed(0)} B of journal, ` +
      `${cost.outputBytes.toFixed(0)} B of outputs; ${cost.redisBytes.toFixed(0)} B in Redis once done`,
    `${PRODUCTION_PER_SECOND} handlings/s for ${PRODUCTION_DAYS} days: facts ${factsGb} GB, journal ${journalGb} GB, outputs ${outputsGb} GB ` +
      `a replica; Redis ${redis24hGb} GB after 24 h, and no more`,
  ]
}
