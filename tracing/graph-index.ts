/** Look-ups that drawings of a graph share, and which parts of it are alike. */
import type { Uuid } from '../contracts/ids.ts'
import type { FlowEvent, FlowGraph, FlowHandling } from './flow-graph.ts'

/** Events of one handling that went the same way; `events` has at least one. */
export interface AlikeEvents {
  readonly first: FlowEvent
  readonly events: readonly FlowEvent[]
}

/** See the file's head. */
export class GraphIndex {
  readonly events: ReadonlyMap<Uuid, FlowEvent>
  readonly #consumers = new Map<Uuid, FlowHandling[]>()
  readonly #outputs = new Map<string, FlowEvent[]>()
  readonly #shapes = new Map<Uuid, string>()

  constructor(graph: FlowGraph) {
    this.events = new Map(graph.events.map((event) => [event.id, event]))
    for (const handling of graph.handlings) {
      for (const id of [...handling.inputs, ...(handling.join?.late ?? [])]) push(this.#consumers, id, handling)
    }
    for (const event of graph.events) if (event.publishedBy !== null) push(this.#outputs, event.publishedBy, event)
  }

  /** Handlings that an event reached, those it was too late for included; in causal order. */
  consumersOf(eventId: Uuid): readonly FlowHandling[] {
    return this.#consumers.get(eventId) ?? []
  }

  outputsOf(handling: FlowHandling): readonly FlowEvent[] {
    return this.#outputs.get(handling.key) ?? []
  }

  /** The outputs of a handling, alike ones together; at the place of the first of each kind. */
  alikeOutputsOf(handling: FlowHandling): readonly AlikeEvents[] {
    const groups = Map.groupBy(this.outputsOf(handling), (event) => this.#shapeOf(event, new Set()))
    return [...groups.values()].flatMap((events) => (events[0] === undefined ? [] : [{ first: events[0], events }]))
  }

  /** Two events have the same shape when the same agents made the same of them, all the way down. */
  #shapeOf(event: FlowEvent, above: Set<Uuid>): string {
    const known = this.#shapes.get(event.id)
    if (known !== undefined) return known
    // Garbage may claim a cycle.
    if (above.has(event.id)) return event.id
    above.add(event.id)
    const shape = `${event.topic}(${this.consumersOf(event.id)
      .map((handling) => this.#shapeOfHandling(handling, above))
      .join()})`
    above.delete(event.id)
    this.#shapes.set(event.id, shape)
    return shape
  }

  #shapeOfHandling(handling: FlowHandling, above: Set<Uuid>): string {
    // Of a join there is only one.
    if (handling.join !== null) return handling.key
    const { agent, status, outcome, attempts, errorCode } = handling
    const outputs = this.outputsOf(handling).map((output) => this.#shapeOf(output, above))
    return `${agent} ${status} ${outcome} ${attempts} ${errorCode} [${[...new Set(outputs)].sort().join()}]`
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
