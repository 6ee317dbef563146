/**
 * Where two flows part: in their paths, in what handlings came to, in what events say, in attempts, time and cost. Pure. Flows are
 * laid over each other by causal position, so it does not matter which ids they have or when things happened.
 */
import type { Uuid } from '../contracts/ids.ts'
import { diffValues, type FieldDifference, type ShownValue } from './diff-values.ts'
import { costOf } from './flow-cost.ts'
import type { FlowEvent, FlowGraph, FlowHandling, FlowStatus } from './flow-graph.ts'
import { placeFlow, Positions, ROOT, type Placed, type PlacedFlow, type Position } from './flow-positions.ts'

/** Version of the JSON form; it grows when a field changes its meaning, not when one is added. */
export const FLOW_DIFF_FORMAT_VERSION = 1

/** One of the two flows. */
export interface FlowSide {
  readonly flowId: Uuid
  readonly status: FlowStatus
  readonly durationMs: number | null
  readonly events: number
  readonly handlings: number
  readonly cost: number | null
}

/** An event or a handling that only one flow has; what follows from it is not listed again. */
export interface PathDifference {
  readonly side: 'left' | 'right'
  readonly kind: 'event' | 'handling'
  /** Topic or agent. */
  readonly name: string
  /** Agent that published it, or topic that it handles; '' for a first event. */
  readonly after: string
  readonly hop: number | null
  /** Event id, or handling key. */
  readonly id: string
  /** How many of the same kind at this place, itself included. */
  readonly count: number
}

/** What one handling came to. */
export interface Outcome {
  readonly key: string
  readonly status: FlowStatus
  readonly errorCode: string | null
  readonly errorMessage: string | null
}

/** A handling that came to something else. */
export interface OutcomeDifference {
  readonly agent: string
  readonly topic: string
  readonly hop: number | null
  readonly left: Outcome
  readonly right: Outcome
}

/** An event that says something else. */
export interface ContentDifference {
  readonly topic: string
  readonly hop: number | null
  readonly leftId: Uuid
  readonly rightId: Uuid
  readonly fields: readonly FieldDifference[]
}

/** A handling that took another number of attempts. */
export interface AttemptDifference {
  readonly agent: string
  readonly topic: string
  readonly hop: number | null
  readonly left: number
  readonly right: number
}

/** What all handlings of an agent took. */
export interface AgentTotals {
  readonly handlings: number
  readonly workedMs: number
  readonly waitedMs: number
  readonly attempts: number
  readonly cost: number | null
}

/** Totals of one agent; null where it has done nothing. */
export interface AgentDifference {
  readonly agent: string
  readonly left: AgentTotals | null
  readonly right: AgentTotals | null
}

/** See the file's head. */
export interface FlowDiff {
  readonly formatVersion: number
  /** True when neither path nor outcome nor content differs; times always do. */
  readonly same: boolean
  readonly left: FlowSide
  readonly right: FlowSide
  /** The earliest difference of path or outcome, by hop; null for none. */
  readonly first: PathDifference | OutcomeDifference | null
  readonly path: readonly PathDifference[]
  readonly outcome: readonly OutcomeDifference[]
  /** null when contents were not compared. */
  readonly content: readonly ContentDifference[] | null
  readonly attempts: readonly AttemptDifference[]
  /** Every agent of either flow, in causal order. */
  readonly agents: readonly AgentDifference[]
}

/** Bodies by event id; an event without one is not compared. */
export type Bodies = ReadonlyMap<Uuid, ShownValue>

/** Compares two flows; with `bodies` also what their events say. */
export function diffGraphs(left: FlowGraph, right: FlowGraph, bodies?: Bodies): FlowDiff {
  const positions = new Positions()
  const sides = { left: placeFlow(left, positions), right: placeFlow(right, positions) }
  const path = [...onlyIn('left', sides.left, sides.right), ...onlyIn('right', sides.right, sides.left)].sort(byHop)
  const { outcome, attempts } = handlingDifferences(sides.left, sides.right)
  const content = bodies === undefined ? null : contentDifferences(sides.left, sides.right, bodies)
  const [first = null] = [...path, ...outcome].sort(byHop)
  return {
    formatVersion: FLOW_DIFF_FORMAT_VERSION,
    same: path.length + outcome.length + (content?.length ?? 0) === 0,
    left: sideOf(left),
    right: sideOf(right),
    first,
    path,
    outcome,
    content,
    attempts,
    agents: agentDifferences(left, right),
  }
}

/** Events that stand at the same position in both flows, as pairs. */
export function matchedEvents(left: FlowGraph, right: FlowGraph): readonly (readonly [FlowEvent, FlowEvent])[] {
  const positions = new Positions()
  const others = placeFlow(right, positions).events
  return [...placeFlow(left, positions).events].flatMap(([position, { it }]) => {
    const other = others.get(position)
    return other === undefined ? [] : [[it, other.it] as const]
  })
}

function sideOf({ flowId, status, durationMs, events, handlings }: FlowGraph): FlowSide {
  return { flowId, status, durationMs, events: events.length, handlings: handlings.length, cost: costOf(handlings) }
}

/** Only where a path parts: what lies below something that the other flow lacks, it lacks for that reason. */
function onlyIn(side: 'left' | 'right', own: PlacedFlow, other: PlacedFlow): readonly PathDifference[] {
  const found = new Map<string, { -readonly [K in keyof PathDifference]: PathDifference[K] }>()
  const add = (kind: 'event' | 'handling', placed: Placed<FlowEvent> | Placed<FlowHandling>, name: string): void => {
    const after = nameAt(own, placed.parent)
    const group = `${placed.parent} ${kind} ${name}`
    const known = found.get(group)
    if (known !== undefined) known.count++
    else {
      const { hop } = placed.it
      const id = 'key' in placed.it && 'agent' in placed.it ? placed.it.key : placed.it.id
      found.set(group, { side, kind, name, after, hop, id, count: 1 })
    }
  }
  for (const [position, placed] of own.events) {
    const isBelow = placed.parent !== ROOT && !other.handlings.has(placed.parent)
    if (!isBelow && !other.events.has(position)) add('event', placed, placed.it.topic)
  }
  for (const [position, placed] of own.handlings) {
    const isBelow = placed.parent !== ROOT && !other.events.has(placed.parent)
    if (!isBelow && !other.handlings.has(position)) add('handling', placed, placed.it.agent)
  }
  return [...found.values()]
}

function nameAt({ events, handlings }: PlacedFlow, position: Position): string {
  return handlings.get(position)?.it.agent ?? events.get(position)?.it.topic ?? ''
}

function handlingDifferences(
  left: PlacedFlow,
  right: PlacedFlow,
): { readonly outcome: readonly OutcomeDifference[]; readonly attempts: readonly AttemptDifference[] } {
  const outcome: OutcomeDifference[] = []
  const attempts: AttemptDifference[] = []
  for (const [position, { it: one, parent }] of left.handlings) {
    const other = right.handlings.get(position)?.it
    if (other === undefined) continue
    const { agent, hop } = one
    const topic = nameAt(left, parent)
    if (one.status !== other.status || one.outcome !== other.outcome || one.errorCode !== other.errorCode)
      outcome.push({ agent, topic, hop, left: outcomeOf(one), right: outcomeOf(other) })
    if (one.attempts !== other.attempts) attempts.push({ agent, topic, hop, left: one.attempts, right: other.attempts })
  }
  return { outcome: outcome.sort(byHop), attempts: attempts.sort(byHop) }
}

function outcomeOf({ key, status, errorCode, errorMessage }: FlowHandling): Outcome {
  return { key, status, errorCode, errorMessage }
}

function contentDifferences(left: PlacedFlow, right: PlacedFlow, bodies: Bodies): readonly ContentDifference[] {
  return [...left.events].flatMap(([position, { it: one }]) => {
    const other = right.events.get(position)?.it
    const ownBody = bodies.get(one.id)
    const otherBody = bodies.get(other?.id ?? '')
    if (other === undefined || ownBody === undefined || otherBody === undefined) return []
    const fields = diffValues(ownBody, otherBody)
    if (fields.length === 0) return []
    return [{ topic: one.topic, hop: one.hop, leftId: one.id, rightId: other.id, fields }]
  })
}

function agentDifferences(left: FlowGraph, right: FlowGraph): readonly AgentDifference[] {
  const [ours, theirs] = [left, right].map(({ handlings }) => Map.groupBy(handlings, ({ agent }) => agent))
  const agents = new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])])
  return [...agents].map((agent) => {
    return { agent, left: totalsOf(ours?.get(agent)), right: totalsOf(theirs?.get(agent)) }
  })
}

function totalsOf(handlings: readonly FlowHandling[] | undefined): AgentTotals | null {
  if (handlings === undefined) return null
  const totals = { handlings: handlings.length, workedMs: 0, waitedMs: 0, attempts: 0 }
  for (const { workedMs, waitedMs, attempts } of handlings) {
    totals.workedMs += workedMs ?? 0
    totals.waitedMs += waitedMs ?? 0
    totals.attempts += attempts
  }
  return { ...totals, cost: costOf(handlings) }
}

function byHop(a: { readonly hop: number | null }, b: { readonly hop: number | null }): number {
  const [left, right] = [a.hop ?? Infinity, b.hop ?? Infinity]
  return left === right ? 0 : left - right
}
