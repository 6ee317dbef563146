/**
 * Where in a flow an event or a handling stands, said so that it means the same in another flow: by the way from the first event, not
 * by ids. The n-th event of a topic that a handling published is the same position in every flow; a join has one position.
 */
import type { FlowEvent, FlowGraph, FlowHandling } from './flow-graph.ts'
import { GraphIndex } from './graph-index.ts'

/** A position; equal numbers from one {@link Positions} are equal positions. */
export type Position = number

/** Where something stands below. */
export const ROOT: Position = 0

/** Numbers ways, so that a flow of 100,000 hops needs no text of 100,000 names for its last. Shared by the flows that are compared. */
export class Positions {
  readonly #known = new Map<string, Position>()

  of(parent: Position, step: string): Position {
    const name = `${parent} ${step}`
    let position = this.#known.get(name)
    if (position === undefined) this.#known.set(name, (position = this.#known.size + 1))
    return position
  }
}

/** Something at its position. */
export interface Placed<T> {
  readonly it: T
  /** The handling that published it, or the event that it handles; ROOT for first events and joins. */
  readonly parent: Position
}

/** A flow by positions, both in causal order. */
export interface PlacedFlow {
  readonly events: ReadonlyMap<Position, Placed<FlowEvent>>
  readonly handlings: ReadonlyMap<Position, Placed<FlowHandling>>
}

/** Places everything in a flow. */
export function placeFlow(graph: FlowGraph, positions: Positions): PlacedFlow {
  const index = new GraphIndex(graph)
  const events = new Map<Position, Placed<FlowEvent>>()
  const handlings = new Map<Position, Placed<FlowHandling>>()
  const placeOf = new Map<string, Position>()
  const counts = new Map<string, number>()
  for (const event of graph.events) {
    const parent = placeOf.get(event.publishedBy ?? '') ?? ROOT
    // A key names its event better than its number does: where one is missing, the others keep their places.
    const name = event.key === null ? event.topic : `${event.topic} of ${event.key}`
    const counted = `${parent} ${name}`
    const ordinal = counts.get(counted) ?? 0
    counts.set(counted, ordinal + 1)
    const position = positions.of(parent, `event ${name} ${ordinal}`)
    events.set(position, { it: event, parent })
    for (const handling of index.consumersOf(event.id)) {
      if (placeOf.has(handling.key)) continue
      const above = handling.join === null ? position : ROOT
      const own = positions.of(above, `handling ${handling.agent}`)
      placeOf.set(handling.key, own)
      handlings.set(own, { it: handling, parent: above })
    }
  }
  return { events, handlings }
}
