/** A flow as a drawing: event by event while it is small, by groups when it is not. */
import type { EventView, FlowGraphView, FlowView, HandlingGroupView, HandlingView } from '../../api.ts'
import { countText, durationText, plural } from '../format.ts'
import type { GraphEdge, GraphModel, GraphNode } from './graph-model.ts'

/** Every event and handling. */
export function flowModel({ events, handlings, criticalPath }: FlowGraphView): GraphModel {
  const critical = new Set(criticalPath)
  const eventById = new Map(events.map((event) => [event.id, event]))
  const edges = handlings.flatMap((handling): GraphEdge[] => [
    ...handling.inputs.map((id) => arrow(id, handling.key, isOnPath(eventById.get(id), handling, critical))),
    ...(handling.join?.late ?? []).map((id): GraphEdge => ({ from: id, to: handling.key, label: '', style: 'late' })),
    ...handling.outputs.map((id) =>
      arrow(handling.key, id, critical.has(handling.key) && leadsOn(id, handlings, critical)),
    ),
  ])
  return {
    nodes: [...events.map(eventNode), ...handlings.map((handling) => handlingNode(handling, critical))],
    edges,
  }
}

/** Its groups. */
export function groupModel({ groups, links, criticalPath }: FlowView): GraphModel {
  const critical = new Set(criticalPath.map(({ groupId }) => groupId))
  return {
    nodes: groups.map((group) =>
      group.kind === 'events' ? eventGroupNode(group) : handlingGroupNode(group, critical),
    ),
    edges: links.map(({ from, to, kind, count }) => {
      const isCritical = critical.has(from) || critical.has(to)
      const style = kind === 'late' ? 'late' : isCritical ? 'critical' : 'plain'
      return { from, to, label: count > 1 ? `×${countText(count)}` : '', style }
    }),
  }
}

/** What to notice about a handling. */
export function handlingBadges({ attempts, duplicatesSkipped, deadLetter, join }: HandlingView): GraphNode['badges'] {
  return [
    ...(attempts > 1 ? [{ text: `attempt ${attempts}`, tone: 'wait' as const }] : []),
    ...(duplicatesSkipped > 0 ? [{ text: plural(duplicatesSkipped, 'duplicate'), tone: 'plain' as const }] : []),
    ...(deadLetter === null ? [] : [{ text: 'dead letter', tone: 'bad' as const }]),
    ...(join !== null && join.missing.length > 0
      ? [{ text: `waits for ${join.missing.length}`, tone: 'wait' as const }]
      : []),
  ]
}

function eventNode({ id, topic, key, awaiting, copies, position }: EventView): GraphNode {
  const title = topic === '' ? id.slice(0, 8) : topic
  const badges = [
    ...(awaiting.length > 0 ? [{ text: `${plural(awaiting.length, 'agent')} to come`, tone: 'wait' as const }] : []),
    ...(copies > 0 ? [{ text: plural(copies, 'copy').replace('copys', 'copies'), tone: 'plain' as const }] : []),
  ]
  const place = position === null ? 'not met on its topic' : `${position.partition}@${position.offset}`
  const label = `event, ${place}`
  return { id, kind: 'topic', title, detail: key ?? '', status: '', badges, isCritical: false, label }
}

function handlingNode(handling: HandlingView, critical: ReadonlySet<string>): GraphNode {
  const { key, agent, status, workedMs, errorCode } = handling
  const badges = handlingBadges(handling)
  const detail = errorCode ?? (workedMs === null ? status : durationText(workedMs))
  const label = `handling, ${status}`
  return { id: key, kind: 'agent', title: agent, detail, status, badges, isCritical: critical.has(key), label }
}

function eventGroupNode({
  id,
  topic,
  source,
  count,
}: Extract<FlowView['groups'][number], { kind: 'events' }>): GraphNode {
  const title = topic === '' ? 'unknown events' : topic
  const detail = count === 1 ? '' : plural(count, 'event')
  const label = `events from ${source ?? 'somebody'}`
  return { id, kind: 'topic', title, detail, status: '', badges: [], isCritical: false, label }
}

function handlingGroupNode(group: HandlingGroupView, critical: ReadonlySet<string>): GraphNode {
  const { id, agent, count, statuses, worked, retried, deadLetters } = group
  const badges = [
    ...(retried > 0 ? [{ text: `${countText(retried)} retried`, tone: 'wait' as const }] : []),
    ...(deadLetters > 0 ? [{ text: plural(deadLetters, 'dead letter'), tone: 'bad' as const }] : []),
  ]
  const detail = `${plural(count, 'handling')}${worked === null ? '' : `  ·  ${durationText(worked.medianMs)} each`}`
  const words = Object.entries(statuses).flatMap(([status, many]) => (many > 0 ? [`${countText(many)} ${status}`] : []))
  const label = `handlings, ${words.join(', ')}`
  const node = { id, kind: 'agent' as const, title: agent, detail, badges, counts: statuses, label }
  return { ...node, status: worstOf(statuses), isCritical: critical.has(id) }
}

const WORST_FIRST = ['failed', 'stuck', 'waiting', 'processing', 'pending']

/** The status that needs a look most. */
export function worstOf(statuses: Readonly<Record<string, number>>): string {
  return WORST_FIRST.find((status) => (statuses[status] ?? 0) > 0) ?? 'completed'
}

function arrow(from: string, to: string, isCritical: boolean): GraphEdge {
  return { from, to, label: '', style: isCritical ? 'critical' : 'plain' }
}

function isOnPath(event: EventView | undefined, { key }: HandlingView, critical: ReadonlySet<string>): boolean {
  if (event === undefined || !critical.has(key)) return false
  return event.publishedBy === null || critical.has(event.publishedBy)
}

function leadsOn(eventId: string, handlings: readonly HandlingView[], critical: ReadonlySet<string>): boolean {
  return handlings.some(({ key, inputs }) => critical.has(key) && inputs.includes(eventId))
}
