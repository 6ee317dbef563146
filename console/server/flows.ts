/** Flows for the page: found by a filter, read by groups, and page by page. The browser never gets more of a flow than a person can read. */
import { isUuid } from '../../contracts/index.ts'
import { LabanError, type FlowFilter } from '../../runtime/internal.ts'
import { FlowGroups, type FlowGraph } from '../../tracing/index.ts'
import type { FlowList, FlowView, MemberPage } from '../api.ts'
import type { ConsoleContext } from './context.ts'

/** Up to so many events and handlings a flow is drawn as it is. */
export const MAX_GRAPH_NODES = 160
const MAX_PAGE = 200
const MAX_LISTED = 500

/** A flow as it was read, and its groups. */
interface OpenFlow {
  readonly graph: FlowGraph
  readonly groups: FlowGroups
}

/** Parameters of an address. */
export type Query = Readonly<Record<string, string | undefined>>

/** The newest flows that fit. @throws LABAN_USAGE */
export async function searchFlows({ kept, source, stack }: ConsoleContext, query: Query): Promise<FlowList> {
  const filter = filterOf(query)
  return kept.get(`search ${JSON.stringify(filter)}`, async () => {
    const { flows, total } = await source.search(filter)
    return { flows, total, takenAtMs: stack.clock.nowMs() }
  })
}

/** One flow by groups; all of it while it is small. @throws LABAN_FLOW_NOT_FOUND */
export async function viewFlow(context: ConsoleContext, flowId: string): Promise<FlowView> {
  const { graph, groups } = await openFlow(context, flowId)
  const { overview } = groups
  const isSmall = graph.events.length + graph.handlings.length <= MAX_GRAPH_NODES
  const { events, handlings, criticalPath } = graph
  return {
    ...overview,
    statuses: { ...overview.statuses },
    groups: overview.groups,
    graph: isSmall ? { events, handlings, criticalPath } : null,
    maxGraphNodes: MAX_GRAPH_NODES,
  }
}

/** Some members of one group. @throws LABAN_CONSOLE_NOT_FOUND */
export async function viewMembers(context: ConsoleContext, flowId: string, query: Query): Promise<MemberPage> {
  const { groups } = await openFlow(context, flowId)
  const groupId = query['group'] ?? ''
  const page = groups.page(groupId, {
    offset: numberOf(query, 'offset', 0),
    limit: Math.min(numberOf(query, 'limit', 50), MAX_PAGE),
  })
  if (page === undefined) throw new LabanError('LABAN_CONSOLE_NOT_FOUND', { path: `group ${groupId} of ${flowId}` })
  const { total, offset } = page
  const members = { groupId, total, offset, events: [], handlings: [] }
  return page.kind === 'events' ? { ...members, events: page.members } : { ...members, handlings: page.members }
}

/** Flow ids that an id leads to: a flow's own, or those of an event's flows. */
export async function findFlows({ kept, source }: ConsoleContext, id: string): Promise<readonly string[]> {
  return kept.get(`event ${id}`, () => source.flowsOfEvent(id))
}

/** One flow as it was read. Large ones are heavy: what is kept counts by its nodes. @throws LABAN_FLOW_NOT_FOUND */
export function openFlow({ kept, source }: ConsoleContext, flowId: string): Promise<OpenFlow> {
  if (!isUuid(flowId)) throw new LabanError('LABAN_FLOW_NOT_FOUND', { flowId })
  const read = async (): Promise<OpenFlow> => {
    const graph = await source.flow(flowId)
    return { graph, groups: new FlowGroups(graph) }
  }
  return kept.get(`flow ${flowId}`, read, ({ graph }) => 1 + graph.events.length / 1_000)
}

function filterOf(query: Query): FlowFilter {
  const { key, status, agent, error } = query
  const since = timeOf(query, 'since')
  const until = timeOf(query, 'until')
  return {
    limit: Math.min(numberOf(query, 'limit', 100), MAX_LISTED),
    ...(isGiven(key) ? { key: key.trim() } : {}),
    ...(isGiven(status) ? { status: status as NonNullable<FlowFilter['status']> } : {}),
    ...(isGiven(agent) ? { agent } : {}),
    ...(isGiven(error) ? { errorCode: error } : {}),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
  }
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== ''
}

function timeOf(query: Query, name: string): number | undefined {
  const text = query[name]
  if (!isGiven(text)) return undefined
  const atMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isFinite(atMs)) return atMs
  throw new LabanError('LABAN_USAGE', { problem: `${name}=${text} is no time` })
}

function numberOf(query: Query, name: string, otherwise: number): number {
  const text = query[name]
  if (!isGiven(text)) return otherwise
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new LabanError('LABAN_USAGE', { problem: `${name}=${text} is not a whole number` })
}
