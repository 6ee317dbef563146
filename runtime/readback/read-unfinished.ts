/**
 * Finds unfinished flows in one pass over the facts. A flow's facts share a partition, so one partition is held at a time, and of that
 * only what has not ended: a flow that has is forgotten on the way, and read again should more be told of it.
 */
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import type { Fact } from '../../contracts/fact.ts'
import type { Uuid } from '../../contracts/ids.ts'
import { hasPlainlyEnded } from '../../tracing/plain-end.ts'
import { reconstructFlow } from '../../tracing/reconstruct.ts'
import { Subscriptions } from '../../tracing/subscriptions.ts'
import { summarize } from './list-flows.ts'
import {
  factsIn,
  rangesOf,
  readManifests,
  type LogSource,
  type NewerRecord,
  type PartitionRange,
} from './platform-records.ts'
import { isUnfinished, UnfinishedKinds, type UnfinishedFlows, type UnfinishedOptions } from './unfinished.ts'

/** What is asked for, and how many facts may be held before those of ended flows are forgotten. */
export interface ReadUnfinishedOptions extends UnfinishedOptions {
  /** @default 50000 */
  readonly sweepAfterFacts?: number
}

/** See the file's head. @throws LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE */
export async function readUnfinished(
  source: LogSource,
  { beforeMs, mostGraphs, sweepAfterFacts = 50_000 }: ReadUnfinishedOptions,
): Promise<UnfinishedFlows> {
  const subscriptions = new Subscriptions(await readManifests(source))
  const kinds = new UnfinishedKinds()
  const unreadable: (NewerRecord & { readonly flowId: Uuid })[] = []
  const counted = new Set<Uuid>()
  let undecodable = 0
  for (const range of await rangesOf(source.broker, FACTS_TOPIC)) {
    const pass = new Pass(source, range, { subscriptions, sweepAfterFacts })
    await pass.read()
    for (const newer of pass.newer.values()) {
      unreadable.push(newer)
      counted.add(newer.flowId)
    }
    undecodable += pass.undecodable
    for (const [flowId, facts] of pass.open) {
      if (pass.newer.has(flowId)) continue
      const graph = reconstructFlow({ flowId, facts, manifests: subscriptions })
      const summary = summarize(graph)
      if (!isUnfinished(summary, beforeMs)) continue
      kinds.add(summary, graph)
      counted.add(flowId)
    }
  }
  const unseen = undecodable === 0 ? [] : [`${undecodable} records of ${FACTS_TOPIC} could not be decoded.`]
  const among = (flowIds: readonly Uuid[]): Promise<ReadonlySet<Uuid>> =>
    Promise.resolve(new Set(flowIds.filter((flowId) => counted.has(flowId))))
  return { kinds: kinds.list(mostGraphs), unreadable, unseen, among }
}

/** One partition. */
class Pass {
  readonly open = new Map<Uuid, Fact[]>()
  readonly newer = new Map<Uuid, NewerRecord & { readonly flowId: Uuid }>()
  undecodable = 0
  readonly #source: LogSource
  readonly #range: PartitionRange
  readonly #subscriptions: Subscriptions
  readonly #sweepAtLeast: number
  readonly #ended = new Set<Uuid>()
  #held = 0
  #sweepAfter: number

  constructor(
    source: LogSource,
    range: PartitionRange,
    options: { readonly subscriptions: Subscriptions; readonly sweepAfterFacts: number },
  ) {
    this.#source = source
    this.#range = range
    this.#subscriptions = options.subscriptions
    this.#sweepAtLeast = options.sweepAfterFacts
    this.#sweepAfter = options.sweepAfterFacts
  }

  async read(): Promise<void> {
    const again = new Set<Uuid>()
    for await (const found of factsIn(this.#source, this.#range)) {
      if (found.state === 'unreadable') this.undecodable++
      else if (found.state === 'newer') this.newer.set(found.flowId, found)
      else if (this.#ended.has(found.fact.flowId)) again.add(found.fact.flowId)
      else this.#hold(found.fact)
      if (this.#held > this.#sweepAfter) this.#sweep()
    }
    this.#sweep()
    if (again.size > 0) await this.#readAgain(again)
  }

  #hold(fact: Fact): void {
    const facts = this.open.get(fact.flowId)
    if (facts === undefined) this.open.set(fact.flowId, [fact])
    else facts.push(fact)
    this.#held++
  }

  #sweep(): void {
    this.#held = 0
    for (const [flowId, facts] of this.open) {
      if (hasPlainlyEnded(facts, this.#subscriptions)) {
        this.open.delete(flowId)
        this.#ended.add(flowId)
      } else this.#held += facts.length
    }
    // Where most have not ended, looking at them again after each few more would take longer than reading.
    this.#sweepAfter = Math.max(this.#sweepAtLeast, 2 * this.#held)
  }

  /** Something more was told of flows that had ended: a copy that was skipped, as a rule. */
  async #readAgain(flows: ReadonlySet<Uuid>): Promise<void> {
    for (const flowId of flows) this.open.delete(flowId)
    for await (const found of factsIn(this.#source, this.#range, (flowId) => flows.has(flowId))) {
      if (found.state === 'read') this.#hold(found.fact)
    }
  }
}
