/** Reads all flows in one pass over the facts. A flow's facts share a partition, so only one partition is held at a time. */
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { SeenEvent } from '../../tracing/event-drafts.ts'
import { needsAttention } from '../../tracing/discarded.ts'
import type { FlowGraph, FlowStatus } from '../../tracing/flow-graph.ts'
import { reconstructFlow } from '../../tracing/reconstruct.ts'
import { Subscriptions } from '../../tracing/subscriptions.ts'
import { readAllEvents } from './event-records.ts'
import { rangesOf, readFacts, readManifests, type LogSource } from './platform-records.ts'

/** Which flows to read. */
export interface ReadAllFlowsOptions extends LogSource {
  /** Also meet all events on their topics; flows without any fact are then found too. @default false */
  readonly fromLog?: boolean
}

/**
 * Every flow, partition by partition, in no particular order. A topic of facts that was given more partitions yields a flow of that
 * time twice, each time with a part of its facts.
 * @throws LABAN_FORMAT_TOO_NEW, LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE
 */
export async function* readAllFlows(options: ReadAllFlowsOptions): AsyncGenerator<FlowGraph> {
  const manifests = new Subscriptions(await readManifests(options))
  const events = options.fromLog === true ? new Map(await readAllEvents(options)) : undefined
  for (const range of await rangesOf(options.broker, FACTS_TOPIC)) {
    const { facts } = await readFacts(options, [range])
    for (const [flowId, own] of Map.groupBy(facts, (fact) => fact.flowId)) {
      yield reconstructFlow({ flowId, facts: own, manifests, ...eventsOf(events, flowId) })
      events?.delete(flowId)
    }
  }
  for (const [flowId, own] of events ?? []) yield reconstructFlow({ flowId, facts: [], events: own, manifests })
}

function eventsOf(
  events: ReadonlyMap<Uuid, readonly SeenEvent[]> | undefined,
  flowId: Uuid,
): { readonly events?: readonly SeenEvent[] } {
  return events === undefined ? {} : { events: events.get(flowId) ?? [] }
}

/** One line about a flow. */
export interface FlowSummary {
  readonly flowId: Uuid
  readonly status: FlowStatus
  /** Topic of the first event; '' when it was not found. */
  readonly firstTopic: string
  /** Record keys that are not the flow id. */
  readonly keys: readonly string[]
  readonly startedAtMs: number | null
  readonly durationMs: number | null
  readonly events: number
  readonly handlings: number
  readonly complete: boolean
  /** Agents that have, or should have, reacted. */
  readonly agents: readonly string[]
  /** Of handlings that ended in an error or are being tried again. */
  readonly errorCodes: readonly string[]
  /** Agents that have not ended, or that ended in a dead letter which nobody has discarded. */
  readonly attention: readonly string[]
}

/** Which flows to list; what is absent does not matter. */
export interface FlowFilter {
  /** Flows in which an event has this record key, or whose flow id begins with it. */
  readonly key?: string
  readonly status?: FlowStatus
  /** Flows that this agent has, or should have, reacted in. */
  readonly agent?: string
  /** Flows in which a handling ended in, or last failed with, this error code. */
  readonly errorCode?: string
  /** Begun at or after, epoch ms. */
  readonly sinceMs?: number
  /** Begun before, epoch ms. */
  readonly untilMs?: number
  /** The newest so many. @default 50 */
  readonly limit?: number
}

/** The newest flows that fit, and how many fit in all. One pass over the facts. */
export async function listFlows(
  options: LogSource & FlowFilter,
): Promise<{ readonly flows: readonly FlowSummary[]; readonly total: number }> {
  const fitting: FlowSummary[] = []
  for await (const graph of readAllFlows(options)) {
    const summary = summarize(graph)
    if (fits(summary, options)) fitting.push(summary)
  }
  fitting.sort((a, b) => (b.startedAtMs ?? 0) - (a.startedAtMs ?? 0) || (a.flowId < b.flowId ? -1 : 1))
  return { flows: fitting.slice(0, options.limit ?? 50), total: fitting.length }
}

/** Whether a flow is one of those that are looked for. */
function fits(summary: FlowSummary, { key, status, agent, errorCode, sinceMs, untilMs }: FlowFilter): boolean {
  const startedAtMs = summary.startedAtMs ?? 0
  return (
    (status === undefined || summary.status === status) &&
    (key === undefined || summary.keys.includes(key) || summary.flowId.startsWith(key)) &&
    (agent === undefined || summary.agents.includes(agent)) &&
    (errorCode === undefined || summary.errorCodes.includes(errorCode)) &&
    startedAtMs >= (sinceMs ?? -Infinity) &&
    startedAtMs < (untilMs ?? Infinity)
  )
}

/** One line about a flow. */
export function summarize(graph: FlowGraph): FlowSummary {
  const { flowId, status, startedAtMs, durationMs, events, handlings, completeness } = graph
  const open = handlings.filter(needsAttention).map((handling) => handling.agent)
  return {
    flowId,
    status,
    firstTopic: events.find((event) => event.hop === 0)?.topic ?? '',
    keys: [...new Set(events.flatMap((event) => event.key ?? []))].sort(),
    startedAtMs,
    durationMs,
    events: events.length,
    handlings: handlings.length,
    complete: completeness.complete,
    agents: [...new Set(handlings.map((handling) => handling.agent))].sort(),
    errorCodes: [...new Set(handlings.flatMap((handling) => handling.errorCode ?? []))].sort(),
    attention: [...new Set(open)].sort(),
  }
}
