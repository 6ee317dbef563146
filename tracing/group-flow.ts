/**
 * Reads a flow by groups: handlings by agent and what they handle, events by type and source. Pure, and linear in the size of the
 * flow, so that a flow of 100,000 events is an overview of some dozen groups, each of which opens page by page.
 */
import { costOf } from './flow-cost.ts'
import type { FlowEvent, FlowGraph, FlowHandling } from './flow-graph.ts'
import {
  GROUPED_FLOW_FORMAT_VERSION,
  type CriticalGroup,
  type FlowGroup,
  type GroupedCompleteness,
  type GroupedFlow,
  type GroupLink,
  type GroupPage,
} from './flow-groups.ts'
import {
  byAttention,
  countStatuses,
  summarizeEvents,
  summarizeHandlings,
  type SummaryContext,
} from './summarize-group.ts'

const DEFAULT_PAGE = 50

/** One flow by groups. Making it costs one pass over the graph; pages are sorted when their group is first opened. */
export class FlowGroups {
  readonly overview: GroupedFlow
  readonly #events = new Map<string, FlowEvent[]>()
  readonly #handlings = new Map<string, FlowHandling[]>()
  readonly #sorted = new Map<string, readonly FlowHandling[]>()
  /** Event ids and handling keys to the ids of their groups. */
  readonly #groupOf = new Map<string, string>()

  constructor(graph: FlowGraph) {
    for (const event of graph.events) this.#add(this.#events, eventGroupId(event), event.id, event)
    const topicOf = new Map(graph.events.map((event) => [event.id, event.topic]))
    for (const handling of graph.handlings) {
      this.#add(this.#handlings, handlingGroupId(handling, topicOf), handling.key, handling)
    }
    this.overview = this.#overviewOf(graph, topicOf)
  }

  /** Id of the group that an event (by id) or a handling (by key) is in; undefined for a stranger. */
  groupOf(member: string): string | undefined {
    return this.#groupOf.get(member)
  }

  /** Members of a group from `offset` on, at most `limit`; undefined for a group that there is not. */
  page(groupId: string, { offset = 0, limit = DEFAULT_PAGE } = {}): GroupPage | undefined {
    const events = this.#events.get(groupId)
    if (events !== undefined) {
      return { groupId, kind: 'events', total: events.length, offset, members: events.slice(offset, offset + limit) }
    }
    const handlings = this.#sorted.get(groupId) ?? this.#handlings.get(groupId)?.toSorted(byAttention)
    if (handlings === undefined) return undefined
    this.#sorted.set(groupId, handlings)
    const members = handlings.slice(offset, offset + limit)
    return { groupId, kind: 'handlings', total: handlings.length, offset, members }
  }

  #add<T>(groups: Map<string, T[]>, groupId: string, memberId: string, member: T): void {
    this.#groupOf.set(memberId, groupId)
    const members = groups.get(groupId)
    if (members === undefined) groups.set(groupId, [member])
    else members.push(member)
  }

  #overviewOf(graph: FlowGraph, topicOf: ReadonlyMap<string, string>): GroupedFlow {
    const { flowId, status, traceId, startedAtMs, lastSeenAtMs, durationMs, events, handlings } = graph
    const critical = new Set(graph.criticalPath)
    const links = this.#linksOf()
    return {
      formatVersion: GROUPED_FLOW_FORMAT_VERSION,
      flowId,
      status,
      traceId,
      startedAtMs,
      lastSeenAtMs,
      durationMs,
      events: events.length,
      handlings: handlings.length,
      statuses: countStatuses(handlings),
      cost: costOf(handlings),
      groups: this.#groupsOf(links, { topicOf, critical }),
      links,
      criticalPath: this.#criticalPathOf(graph, critical),
      completeness: numbersOf(graph),
    }
  }

  /** An event's group comes before those of its consumers, because the graph is in causal order. */
  #groupsOf(links: readonly GroupLink[], context: SummaryContext): FlowGroup[] {
    const consumers = Map.groupBy(links, (link) => link.from)
    const order = new Set<string>()
    for (const id of this.#events.keys()) {
      order.add(id)
      for (const link of consumers.get(id) ?? []) order.add(link.to)
    }
    for (const id of this.#handlings.keys()) order.add(id)
    return [...order].flatMap((id): FlowGroup[] => {
      const events = this.#events.get(id)
      if (events !== undefined) return [summarizeEvents(id, events)]
      const handlings = this.#handlings.get(id)
      return handlings === undefined ? [] : [summarizeHandlings(id, handlings, context)]
    })
  }

  #linksOf(): GroupLink[] {
    const links = new Map<string, Writable<GroupLink>>()
    const count = (kind: GroupLink['kind'], from: string, to: string): void => {
      const name = `${kind} ${from} ${to}`
      const link = links.get(name)
      if (link === undefined) links.set(name, { from, to, kind, count: 1 })
      else link.count++
    }
    const countEvents = (kind: GroupLink['kind'], ids: readonly string[], own: string): void => {
      for (const id of ids) {
        const other = this.#groupOf.get(id)
        if (other === undefined) continue
        if (kind === 'published') count(kind, own, other)
        else count(kind, other, own)
      }
    }
    for (const [own, handlings] of this.#handlings) {
      for (const { inputs, outputs, join } of handlings) {
        countEvents('consumed', inputs, own)
        if (join !== null) countEvents('late', join.late, own)
        countEvents('published', outputs, own)
      }
    }
    return [...links.values()]
  }

  /** The path is in causal order, as the handlings are. */
  #criticalPathOf({ handlings }: FlowGraph, critical: ReadonlySet<string>): readonly CriticalGroup[] {
    const groups = new Map<string, Writable<CriticalGroup>>()
    for (const { key, workedMs, waitedMs } of handlings) {
      if (!critical.has(key)) continue
      const groupId = this.#groupOf.get(key) ?? ''
      const group = groups.get(groupId) ?? { groupId, handlings: 0, workedMs: 0, waitedMs: 0 }
      groups.set(groupId, group)
      group.handlings++
      group.workedMs += workedMs ?? 0
      group.waitedMs += waitedMs ?? 0
    }
    return [...groups.values()]
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function eventGroupId({ topic, source }: FlowEvent): string {
  return `event ${topic} from ${source ?? 'unknown'}`
}

/** Of a join there is one in a flow, whatever has reached it so far. */
function handlingGroupId(handling: FlowHandling, topicOf: ReadonlyMap<string, string>): string {
  if (handling.join !== null) return `join ${handling.agent}`
  return `agent ${handling.agent} of ${topicOf.get(handling.inputs[0] ?? '') ?? 'unknown'}`
}

function numbersOf({ completeness }: FlowGraph): GroupedCompleteness {
  const { unpublished, unaccounted, idConflicts, ...rest } = completeness
  return {
    ...rest,
    unpublished: unpublished.length,
    unaccounted: unaccounted.length,
    idConflicts: idConflicts.length,
  }
}
