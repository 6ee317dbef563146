/** I9: what is told of a flow is a fold of its facts that does not depend on their order, nor on how often each is read. */
import type { Fact } from '../../../contracts/fact.ts'
import type { FlowGraph } from '../../../tracing/flow-graph.ts'
import { reconstructFlow, type FlowSources } from '../../../tracing/reconstruct.ts'
import { Subscriptions } from '../../../tracing/subscriptions.ts'
import type { Finding, History } from './history.ts'

/** How flows are told: the ledger's fold, or what a test puts in its place. */
export type TellFlow = (sources: FlowSources) => FlowGraph

/** Judges some of the flows, spread over all. */
export function orderFree(history: History, tell: TellFlow = reconstructFlow, sample = 4): Finding[] {
  const byFlow = Map.groupBy(
    history.facts.map(({ fact }) => fact),
    ({ flowId }) => flowId,
  )
  const flows = [...byFlow]
  const subscriptions = new Subscriptions(history.manifests)
  const step = Math.max(1, Math.floor(flows.length / sample))
  return flows
    .filter((_, index) => index % step === 0)
    .flatMap(([flowId, facts]) => judgeFlow({ ...history, manifests: subscriptions }, flowId, facts, tell))
}

function judgeFlow(
  { events, manifests }: Pick<FlowSources, 'manifests'> & Pick<History, 'events'>,
  flowId: string,
  facts: readonly Fact[],
  tell: TellFlow,
): Finding[] {
  const seen = events
    .filter(({ envelope }) => envelope.flowId === flowId)
    .map(({ envelope, topic, partition, offset, timestampMs, key }) => {
      const text = key?.toString('utf8') ?? null
      return {
        envelope,
        position: { topic, partition, offset },
        recordedAtMs: timestampMs,
        key: text === flowId ? null : text,
      }
    })
  const told = (list: readonly Fact[]): string => JSON.stringify(tell({ flowId, facts: list, events: seen, manifests }))
  const first = told(facts)
  const orders: readonly (readonly [string, readonly Fact[]])[] = [
    ['backwards', facts.toReversed()],
    ['by instance', facts.toSorted((left, right) => (left.instance < right.instance ? -1 : 1))],
    ['twice', [...facts, ...facts]],
  ]
  const differing = orders.filter(([, list]) => told(list) !== first)
  return differing.map(([order]) => ({
    invariant: 'I9',
    problem: `the ${facts.length} facts of a flow tell something else when they are read ${order}`,
    flowId,
  }))
}
