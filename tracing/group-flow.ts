/**
 * Reads a flow by groups: handlings by agent and what they handle, events by type and source. Pure, and linear in the size of the
 * flow, so that a flow of 100,000 events is an overview of some dozen groups, each of which opens page by page.
 */
import type { Uuid } from '../contracts/ids.ts'
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
import { groupMembers, type GroupedMembers, type GroupOf } from './group-members.ts'
import { byAttention, countStatuses, summarizeEvents, summarizeHandlings } from './summarize-group.ts'

const DEFAULT_PAGE = 50

/** One flow by groups. Making it costs one pass over the graph; pages are sorted when their group is first opened. */
export class FlowGroups {
  readonly overview: GroupedFlow
  readonly #members: GroupedMembers
  readonly #sorted = new Map<string, readonly FlowHandling[]>()
  #groupOf: ReadonlyMap<string, string> | undefined

  constructor(graph: FlowGraph) {
    this.#members = groupMembers(graph)
    this.overview = overviewOf(graph, this.#members)
  }

  /** Id of the group that an event (by id) or a handling (by key) is in; undefined for a stranger. */
  groupOf(member: string): string | undefined {
    if (this.#groupOf === undefined) {
      const { events, handlings } = this.#members
      this.#groupOf = new Map([
        ...[...events.values()].flatMap(({ id, members }) => members.map((event) => [event.id, id] as const)),
        ...[...handlings.values()].flatMap(({ id, members }) => members.map((handling) => [handling.key, id] as const)),
      ])
    }
    return this.#groupOf.get(member)
  }

  /** Members of a group from `offset` on, at most `limit`; undefined for a group that there is not. */
  page(groupId: string, { offset = 0, limit = DEFAULT_PAGE } = {}): GroupPage | undefined {
    const events = this.#members.events.get(groupId)?.members
    if (events !== undefined) {
      return { groupId, kind: 'events', total: events.length, offset, members: events.slice(offset, offset + limit) }
    }
    const handlings = this.#sorted.get(groupId) ?? this.#members.handlings.get(groupId)?.members.toSorted(byAttention)
    if (handlings === undefined) return undefined
    this.#sorted.set(groupId, handlings)
    const members = handlings.slice(offset, offset + limit)
    return { groupId, kind: 'handlings', total: handlings.length, offset, members }
  }
}

function overviewOf(graph: FlowGraph, members: GroupedMembers): GroupedFlow {
  const { flowId, status, traceId, startedAtMs, lastSeenAtMs, durationMs, events, handlings } = graph
  const links = linksOf(members)
  const critical = new Set(graph.criticalPath)
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
    groups: groupsOf(members, links, critical),
    links,
    criticalPath: criticalPathOf(members, handlings, critical),
    completeness: numbersOf(graph),
  }
}

/** An event's group comes before those of its consumers, because the graph is in causal order. */
function groupsOf(members: GroupedMembers, links: readonly GroupLink[], critical: ReadonlySet<string>): FlowGroup[] {
  const consumers = Map.groupBy(links, (link) => link.from)
  const order = new Set<string>()
  for (const id of members.events.keys()) {
    order.add(id)
    for (const link of consumers.get(id) ?? []) order.add(link.to)
  }
  for (const id of members.handlings.keys()) order.add(id)
  const topicOf = (eventId: Uuid): string => members.byEvent.get(eventId)?.topic ?? ''
  return [...order].flatMap((id): FlowGroup[] => {
    const events = members.events.get(id)
    if (events !== undefined) return [summarizeEvents(id, events.members)]
    const handlings = members.handlings.get(id)
    return handlings === undefined ? [] : [summarizeHandlings(id, handlings.members, { topicOf, critical })]
  })
}

function linksOf({ handlings, byEvent }: GroupedMembers): GroupLink[] {
  const links: GroupLink[] = []
  for (const { id: own, members } of handlings.values()) {
    const consumed = new LinkCounter(links, (event) => ({ from: event.id, to: own, kind: 'consumed' }))
    const late = new LinkCounter(links, (event) => ({ from: event.id, to: own, kind: 'late' }))
    const published = new LinkCounter(links, (event) => ({ from: own, to: event.id, kind: 'published' }))
    for (const { inputs, outputs, join } of members) {
      for (const id of inputs) consumed.count(byEvent.get(id))
      if (join !== null) for (const id of join.late) late.count(byEvent.get(id))
      for (const id of outputs) published.count(byEvent.get(id))
    }
  }
  return links
}

/** Counts the arrows of one kind between one group of handlings and the groups of events. */
class LinkCounter {
  readonly #links: GroupLink[]
  readonly #begin: (group: GroupOf<FlowEvent>) => Omit<GroupLink, 'count'>
  readonly #counted = new Map<GroupOf<FlowEvent>, Writable<GroupLink>>()

  constructor(links: GroupLink[], begin: (group: GroupOf<FlowEvent>) => Omit<GroupLink, 'count'>) {
    this.#links = links
    this.#begin = begin
  }

  count(group: GroupOf<FlowEvent> | undefined): void {
    if (group === undefined) return
    const known = this.#counted.get(group)
    if (known !== undefined) known.count++
    else {
      const link = { ...this.#begin(group), count: 1 }
      this.#counted.set(group, link)
      this.#links.push(link)
    }
  }
}

/** The path is in causal order, as the handlings are. */
function criticalPathOf(
  { groupIdOf }: GroupedMembers,
  handlings: readonly FlowHandling[],
  critical: ReadonlySet<string>,
): readonly CriticalGroup[] {
  const groups = new Map<string, Writable<CriticalGroup>>()
  for (const handling of handlings) {
    if (!critical.has(handling.key)) continue
    const groupId = groupIdOf(handling)
    const group = groups.get(groupId) ?? { groupId, handlings: 0, workedMs: 0, waitedMs: 0 }
    groups.set(groupId, group)
    group.handlings++
    group.workedMs += handling.workedMs ?? 0
    group.waitedMs += handling.waitedMs ?? 0
  }
  return [...groups.values()]
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function numbersOf({ completeness }: FlowGraph): GroupedCompleteness {
  const { unpublished, unaccounted, idConflicts, ...rest } = completeness
  return {
    ...rest,
    unpublished: unpublished.length,
    unaccounted: unaccounted.length,
    idConflicts: idConflicts.length,
  }
}
